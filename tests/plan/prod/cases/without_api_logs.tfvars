account_id          = "000000000000"
alarm_topic_arns    = ["arn:aws:sns:eu-west-1:000000000000:oncall"]
api_logging_enabled = false
