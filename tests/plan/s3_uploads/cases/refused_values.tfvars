name                               = "Photos.example"
cors_allowed_origins               = ["https://app.example.com/path"]
kms_key_arn                        = "alias/photos"
noncurrent_version_expiration_days = 0
