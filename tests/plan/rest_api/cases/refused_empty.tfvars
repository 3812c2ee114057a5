name = "orders"
routes = {}
