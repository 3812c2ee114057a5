routes = {}
