name            = "orders"
log_kms_key_arn = "alias/logs"
custom_domain   = { name = "API.example.com", certificate_arn = "arn:aws:iam::123456789012:server-certificate/shop", base_path = "v1/orders" }
web_acl         = { arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/1" }

authorizers = {
  people = { user_pool_arns = ["eu-west-1_a"] }
  token  = { function = { name = "judge", invoke_arn = "arn:aws:lambda:eu-west-1:123456789012:function:judge" } }
}

routes = {
  status = {
    method   = "GET"
    path     = "/status"
    function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" }
  }
}
