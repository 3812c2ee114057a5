suffix                   = "pr-7"
allow_http_from_loopback = true
architecture             = "arm64"
data_trace_enabled       = true
execution_log_level      = "INFO"
region                   = "eu-west-1"
permissions_boundary_arn = "arn:aws:iam::000000000000:policy/serverless-uploads-dev-boundary"

artifacts = {
  bucket = "artifacts"
  zips = {
    api_handler-arm64      = { key = "v1/a.zip", sha256_base64 = "YQ==", runtime = "python3.12", architecture = "arm64" }
    data_transformer-arm64 = { key = "v1/d.zip", sha256_base64 = "Yg==", runtime = "python3.12", architecture = "arm64" }
    image_processor-arm64  = { key = "v1/i.zip", sha256_base64 = "Yw==", runtime = "python3.12", architecture = "arm64" }
  }
}
