suffix                   = "pr-7"
architecture             = "arm64"
data_trace_enabled       = true
execution_log_level      = "INFO"
region                   = "eu-west-1"
permissions_boundary_arn = "arn:aws:iam::000000000000:policy/serverless-uploads-dev-boundary"

artifacts = {
  bucket = "artifacts"
  zips = {
    api_handler-arm64      = { key = "v1/a.zip", sha256_base64 = "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=", runtime = "python3.12", architecture = "arm64" }
    data_transformer-arm64 = { key = "v1/d.zip", sha256_base64 = "PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0=", runtime = "python3.12", architecture = "arm64" }
    image_processor-arm64  = { key = "v1/i.zip", sha256_base64 = "Ln0sA6lQeuJl7PW1NWiFpTOTogKdJBOUmXJloaJa78Y=", runtime = "python3.12", architecture = "arm64", version_id = "v7" }
  }
}
