alarms = { unattended = true }
name   = "shop"
routes = {
  home = {
    method   = "GET"
    path     = "/"
    function = { name = "shop", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" }
  }
  page = {
    method   = "GET"
    path     = "/{page+}"
    function = { name = "shop", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" }
  }
  pay = {
    method   = "POST"
    path     = "/cart"
    function = { name = "shop", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" }
  }
}
