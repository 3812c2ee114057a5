access_log           = { bucket = "logs", prefix = "uploads/" }
account_id           = "000000000000"
alarm_topic_arns     = ["arn:aws:sns:eu-west-1:000000000000:oncall"]
cors_allowed_origins = ["https://app.example.com"]
events_enabled       = true
kms_key_arn          = "arn:aws:kms:eu-west-1:000000000000:key/data"
log_retention_days   = 400
region               = "eu-west-1"
reserved_concurrency = { api_handler = 10, data_transformer = 5, image_processor = -1 }
web_acl_arn          = "arn:aws:wafv2:eu-west-1:000000000000:regional/webacl/uploads/0a1b"

artifacts                = published_zips
code_signing_config_arn  = "arn:aws:lambda:eu-west-1:000000000000:code-signing-config:csc-0123456789abcdef0"
vpc                      = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
permissions_boundary_arn = "arn:aws:iam::000000000000:policy/serverless-uploads-prod-boundary"
