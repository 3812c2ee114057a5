name = "orders"
routes = {
  Upper = { method = "FETCH", path = "/a/", timeout_seconds = 30, function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
  deep  = { method = "GET", path = "/1/2/3/4/5", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
  one   = { method = "GET", path = "/x/{a}", schema = "{", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
  other = { method = "GET", path = "/x/{b}", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
  again = { method = "GET", path = "/x/{b}", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
  check = { method = "OPTIONS", path = "/x", function = { name = "orders", invoke_arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders" } }
}
