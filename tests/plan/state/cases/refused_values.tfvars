account_id = "prod"
