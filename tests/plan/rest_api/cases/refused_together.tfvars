name = "orders"
cors = { allow_origins = ["*"] }
routes = {
  check = { method = "OPTIONS", path = "/x", authorization = "nobody", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
}
