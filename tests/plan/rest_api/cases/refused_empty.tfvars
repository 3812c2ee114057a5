name   = "orders"
routes = {}
