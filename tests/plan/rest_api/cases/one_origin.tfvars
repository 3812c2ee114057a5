alarms              = { enabled = false }
access_log_enabled  = false
execution_log_level = "OFF"
name                = "orders"
cors                = { allow_origins = ["https://app.example.com"], allow_headers = ["Content-Type"] }
custom_domain       = { name = "api.example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/abc" }
routes = {
  status = {
    method        = "GET"
    path          = "/status"
    authorization = "NONE"
    function      = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" }
  }
}
