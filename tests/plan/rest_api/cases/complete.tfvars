name                      = "orders"
description               = "Orders of the shop"
stage_name                = "v1"
access_log_retention_days = 30
allowed_cidrs             = ["192.0.2.0/24"]
alarms                    = { topic_arns = ["arn:aws:sns:eu-west-1:123456789012:duty"], error_share = 0.01, share_of_timeout = 0.5 }
execution_log_level       = "INFO"
log_kms_key_arn           = "arn:aws:kms:eu-west-1:123456789012:key/abc"
metrics_enabled           = false
tags                      = { Team = "shop" }
throttling_burst_limit    = 20
throttling_rate_limit     = 10.5
tracing_enabled           = false
web_acl                   = { arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/1" }
custom_domain             = { name = "api.example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/abc", base_path = "orders" }
cors                      = { allow_origins = ["https://a.example", "https://b.example"], expose_headers = ["ETag"], max_age_seconds = 60 }

authorizers = {
  people = { user_pool_arns = ["arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_a"] }
  token = {
    function         = { name = "judge", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:judge/invocations" }
    identity_sources = ["method.request.header.X-Token", "method.request.querystring.tenant"]
    cache_seconds    = 0
  }
}

routes = {
  root = {
    method        = "ANY"
    path          = "/"
    authorization = "NONE"
    function      = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f", qualifier = "live" }
  }
  create_order = {
    method               = "POST"
    path                 = "/orders"
    authorization        = "people"
    authorization_scopes = ["orders/write"]
    function             = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" }
    timeout_seconds      = 10
    schema               = "{\"type\":\"object\",\"required\":[\"item\"]}"
  }
  line = {
    method        = "GET"
    path          = "/orders/{id}/lines/{line+}"
    authorization = "token"
    function      = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" }
  }
  remove = {
    method   = "DELETE"
    path     = "/orders/{id}"
    function = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f" }
  }
}
