name = "photos"
notifications = {
  all = { function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:f", prefixes = ["a/", "b/"], suffixes = [".jpeg", ".tiff", ".webp", ".heic", ".avif", ".mpeg", ".flac", ".opus", ".midi", ".docx", ".xlsx", ".pptx", ".epub", ".html", ".yaml", ".toml", ".json"] }
}
