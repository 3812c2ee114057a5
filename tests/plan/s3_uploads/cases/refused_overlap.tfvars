name = "photos"
notifications = {
  all = { function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:f", prefixes = ["uploads/"] }
  jpg = { function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:f", prefixes = ["uploads/2026/"], suffixes = [".jpg"] }
}
