suffix              = "pr-7"
api_logging_enabled = false
