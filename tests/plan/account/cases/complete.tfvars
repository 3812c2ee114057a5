account_id = "000000000000"
region     = "eu-west-1"
