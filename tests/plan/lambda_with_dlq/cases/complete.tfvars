name                    = "resize"
alias_name              = "live"
description             = "Makes small pictures"
environment             = { SIZE = "640" }
ephemeral_storage_mb    = 1024
kms_key_arn             = "arn:aws:kms:eu-central-1:123456789012:key/abc"
memory_mb               = 512
provisioned_concurrency = 2
reserved_concurrency    = 10
tags                    = { Team = "media" }
timeout_seconds         = 300
tracing_enabled         = true

alarms = {
  topic_arns          = ["arn:aws:sns:eu-central-1:123456789012:oncall"]
  share_of_timeout    = 0.5
  share_of_concurrent = 0.75
}
asynchronous = {
  retries                   = 1
  maximum_event_age_seconds = 3600
}
code = {
  handler            = "example.index.handler"
  runtime            = "python3.13"
  architecture       = "arm64"
  signing_config_arn = "arn:aws:lambda:eu-central-1:123456789012:code-signing-config:csc-0123456789abcdef0"
  s3 = {
    bucket        = "artifacts"
    key           = "v1/example-arm64.zip"
    version_id    = "v7"
    sha256_base64 = "rfhUvYgX0Y1bJVo8ZoLpcOKmw0VDbWzWd3vKQxYNkL8="
    runtime       = "python3.13"
    architecture  = "arm64"
  }
}
dead_letter_queue = {
  retention_days = 4
}
logging = {
  retention_days    = 30
  application_level = "DEBUG"
}
permissions = {
  Bucket = {
    principal      = "s3.amazonaws.com"
    source_arn     = "arn:aws:s3:::photos"
    source_account = "123456789012"
  }
}
statements = {
  ListPhotos = {
    actions    = ["s3:ListBucket"]
    resources  = ["arn:aws:s3:::photos"]
    conditions = { StringLike = { "s3:prefix" = ["small/*"] } }
  }
}
vpc = {
  subnet_ids         = ["subnet-1"]
  security_group_ids = ["sg-1"]
}
permissions_boundary_arn = "arn:aws:iam::000000000000:policy/serverless-uploads-dev-boundary"
