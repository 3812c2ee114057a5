name = "photos"
notifications = {
  all = { function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:f", prefixes = ["a/", "b/"], suffixes = [".mpeg", ".tiff", ".webp", ".heic"] }
}
