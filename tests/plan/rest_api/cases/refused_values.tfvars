alarms                    = { topic_arns = ["oncall"], error_share = 5, share_of_timeout = 0 }
name                      = "orders api"
access_log_retention_days = 8
allowed_cidrs             = ["192.0.2.0/24", "anywhere"]
execution_log_level       = "DEBUG"
stage_name                = "v 1"
throttling_burst_limit    = -1
throttling_rate_limit     = -0.5
cors                      = { allow_origins = ["https://app.example.com/", "*"], max_age_seconds = 90000 }
authorizers               = { Nobody = { cache_seconds = 4000 } }

routes = {
  status = {
    method        = "GET"
    path          = "/status"
    authorization = "NONE"
    function      = { name = "orders", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:orders/invocations" }
  }
}
