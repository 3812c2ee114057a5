name = "photos"
notifications = {
  jpg = { function_arn = "resize", prefixes = ["uploads/"], suffixes = [] }
}
lifecycle_rules = { "uploads/" = { transition_days = 40, expiration_days = 31 } }
