name          = "orders"
allowed_cidrs = ["192.0.2.0/24"]
routes = {
  order    = { method = "GET", path = "/orders/{id}", authorization = "NONE", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
  lines    = { method = "GET", path = "/orders/{id}/lines", authorization = "AWS_IAM", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
  page     = { method = "ANY", path = "/pages/{name}/view", authorization = "NONE", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
  pages    = { method = "ANY", path = "/pages/{name+}", authorization = "AWS_IAM", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
  change   = { method = "PUT", path = "/orders/{id}", authorization = "AWS_IAM", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
  comments = { method = "GET", path = "/comments/{id}", authorization = "AWS_IAM", function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" } }
}
