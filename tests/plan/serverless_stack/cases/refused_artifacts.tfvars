suffix       = "team-a"
architecture = "x86_64"
artifacts = {
  bucket = "artifacts"
  zips = {
    api_handler-arm64      = { key = "v1/a.zip", sha256_base64 = "YQ==", runtime = "python3.12", architecture = "arm64" }
    data_transformer-arm64 = { key = "v1/d.zip", sha256_base64 = "Yg==", runtime = "python3.12", architecture = "arm64" }
    image_processor-arm64  = { key = "v1/i.zip", sha256_base64 = "Yw==", runtime = "python3.12", architecture = "arm64" }
  }
}
