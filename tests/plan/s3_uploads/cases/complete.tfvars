name                               = "photos"
access_log                         = { bucket = "logs", prefix = "photos/" }
cors_allowed_origins               = ["https://app.example.com"]
eventbridge_enabled                = true
force_destroy                      = true
kms_key_arn                        = "arn:aws:kms:eu-central-1:123456789012:key/abc"
noncurrent_version_expiration_days = 90
output_prefixes                    = ["processed/"]
tags                               = { Team = "media" }

lifecycle_rules = {
  "processed/" = { transition_days = 1, storage_class = "GLACIER_IR" }
  "uploads/"   = { transition_days = 30, expiration_days = 365 }
}

notifications = {
  tables = {
    function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:tables"
    prefixes     = ["uploads/", "imports/"]
    suffixes     = [".csv"]
    events       = ["s3:ObjectCreated:Put", "s3:ObjectCreated:Post"]
  }
  images = {
    function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:images"
    prefixes     = ["uploads/"]
    suffixes     = [".gi"]
  }
}
