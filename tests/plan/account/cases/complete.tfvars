account_id               = "000000000000"
allow_http_from_loopback = true
region                   = "eu-west-1"
