suffix                  = "team-a"
access_log              = { bucket = "logs", prefix = "uploads/" }
alarms                  = { topic_arns = ["arn:aws:sns:eu-central-1:123456789012:oncall"] }
api_handler             = { memory_mb = 256, timeout_seconds = 10, reserved_concurrency = 50, snap_start = true, environment = { DOWNLOAD_URL_TTL_SECONDS = "60" } }
architecture            = "arm64"
bucket_name             = "our-uploads"
code_signing_config_arn = "arn:aws:lambda:eu-central-1:123456789012:code-signing-config:csc-0123456789abcdef0"
cors_allowed_origins    = []
data_transformer = {
  memory_mb               = 512
  timeout_seconds         = 600
  ephemeral_storage_mb    = 2048
  reserved_concurrency    = 20
  provisioned_concurrency = 3
  environment             = { AWS_RETRY_MODE = "standard" }
  output_formats          = ["parquet", "csv"]
  max_rejected_rows_share = 0.25
  max_rejected_rows       = 10
  memory_limit_mb         = 300
  column_names            = "original"
  max_decompressed_mb     = 100
  table_options           = "{\"decimal\": \",\"}"
}
force_destroy = true
image_processor = {
  memory_mb            = 1024
  timeout_seconds      = 60
  ephemeral_storage_mb = 1024
  reserved_concurrency = 30
  environment          = { AWS_RETRY_MODE = "standard" }
  thumbnail_sizes      = [200, 800]
  named_sizes          = ["og=1200x630", "card=400x300/pad"]
  thumbnail_format     = "avif"
  further_formats      = ["webp"]
  thumbnail_quality    = 70
  thumbnail_animation  = "keep"
  max_file_mb          = 900
  max_pixels           = 100000000
  max_metadata_kb      = 64
  max_jpeg_scans       = 20
  allow_truncated      = true
  record_location      = true
}
kms_key_arn      = "arn:aws:kms:eu-central-1:123456789012:key/data"
lifecycle_rules  = { "processed/" = { transition_days = 1, storage_class = "GLACIER_IR", expiration_days = 90 } }
logging          = { retention_days = 30, level = "DEBUG" }
max_upload_bytes = 1000000
package_dir      = "/nowhere"
tags             = { CostCenter = "Media" }
tracing_enabled  = true
vpc              = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }

api = {
  authorization        = "AWS_IAM"
  owners               = { claim = "userArn" }
  allowed_cidrs        = ["192.0.2.0/24"]
  deletion_enabled     = true
  reprocessing_enabled = true
  rate_limit           = 10
  burst_limit          = 20
  execution_log_level  = "INFO"
  metrics_enabled      = false
}

# Built once and copied to a bucket: no zip is needed here.
artifacts                = published_zips
permissions_boundary_arn = "arn:aws:iam::000000000000:policy/serverless-uploads-dev-boundary"
