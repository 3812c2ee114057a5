account_id                  = "000000000000"
api_gateway_logging_enabled = false
