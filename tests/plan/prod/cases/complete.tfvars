access_log           = { bucket = "logs" }
account_id           = "000000000000"
alarm_topic_arns     = ["arn:aws:sns:eu-west-1:000000000000:oncall"]
cors_allowed_origins = ["https://app.example.com"]
kms_key_arn          = "arn:aws:kms:eu-west-1:000000000000:key/data"
log_retention_days   = 400
region               = "eu-west-1"
reserved_concurrency = { api_handler = 10, image_processor = -1 }
web_acl_arn          = "arn:aws:wafv2:eu-west-1:000000000000:regional/webacl/uploads/0a1b"
