suffix                  = "team-a"
access_log              = { bucket = "logs", prefix = "uploads/" }
alarms                  = { topic_arns = ["arn:aws:sns:eu-central-1:123456789012:oncall"] }
api_handler             = { memory_mb = 256, timeout_seconds = 10, reserved_concurrency = 50, environment = { DOWNLOAD_URL_TTL_SECONDS = "60" } }
architecture            = "arm64"
bucket_name             = "our-uploads"
code_signing_config_arn = "arn:aws:lambda:eu-central-1:123456789012:code-signing-config:csc-0123456789abcdef0"
cors_allowed_origins    = []
data_transformer        = { memory_mb = 512, timeout_seconds = 600, ephemeral_storage_mb = 2048, reserved_concurrency = 20, environment = { OUTPUT_FORMATS = "parquet,csv" } }
force_destroy           = true
image_processor         = { memory_mb = 1024, timeout_seconds = 60, ephemeral_storage_mb = 1024, reserved_concurrency = 30, environment = { THUMBNAIL_QUALITY = "70" } }
kms_key_arn             = "arn:aws:kms:eu-central-1:123456789012:key/data"
lifecycle_rules         = { "processed/" = { transition_days = 1, storage_class = "GLACIER_IR", expiration_days = 90 } }
logging                 = { retention_days = 30, level = "DEBUG" }
max_upload_bytes        = 1000000
package_dir             = "/nowhere"
tags                    = { CostCenter = "Media" }
tracing_enabled         = true
vpc                     = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }

api = {
  authorization       = "AWS_IAM"
  allowed_cidrs       = ["192.0.2.0/24"]
  rate_limit          = 10
  burst_limit         = 20
  execution_log_level = "INFO"
  data_trace_enabled  = true
  metrics_enabled     = false
}

# Built once and copied to a bucket: no zip is needed here.
artifacts = {
  bucket = "artifacts"
  zips = {
    api_handler-arm64      = { key = "v1/a.zip", sha256_base64 = "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=", runtime = "python3.12", architecture = "arm64" }
    data_transformer-arm64 = { key = "v1/d.zip", sha256_base64 = "PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0=", runtime = "python3.12", architecture = "arm64" }
    image_processor-arm64  = { key = "v1/i.zip", sha256_base64 = "Ln0sA6lQeuJl7PW1NWiFpTOTogKdJBOUmXJloaJa78Y=", runtime = "python3.12", architecture = "arm64", version_id = "v7" }
  }
}
permissions_boundary_arn = "arn:aws:iam::000000000000:policy/serverless-uploads-dev-boundary"
