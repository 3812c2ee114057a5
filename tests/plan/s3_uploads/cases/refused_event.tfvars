name = "photos"
notifications = {
  jpg = { function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:f", prefixes = ["uploads/"], events = ["ObjectCreated"] }
}
lifecycle_rules = { "uploads/" = {} }
