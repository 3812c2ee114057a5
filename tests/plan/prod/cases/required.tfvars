account_id       = "000000000000"
alarm_topic_arns = ["arn:aws:sns:eu-central-1:000000000000:oncall"]
