name = "photos"
notifications = {
  jpg = { function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:f", prefixes = ["uploads/"], suffixes = [] }
}
lifecycle_rules = { "uploads/" = { transition_days = 40, expiration_days = 31 } }
