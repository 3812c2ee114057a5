name = "orders"
routes = {
  status = {
    method        = "GET"
    path          = "/status"
    authorization = "NONE"
    function      = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:orders/invocations" }
  }
}
