account_id           = "prod"
alarm_topic_arns     = []
cors_allowed_origins = ["*"]
