name            = "photos"
output_prefixes = ["uploads/done/"]
notifications = {
  jpg = { function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:f", prefixes = ["uploads/"], suffixes = [".jpg"] }
}
