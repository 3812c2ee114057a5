name        = "resize"
environment = { AWS_REGION = "eu-central-1" }
kms_key_arn = "0a1b2c3d"
permissions = { Bucket = { principal = "s3.amazonaws.com", source_arn = "photos", source_account = "123456789012" } }

code = {
  handler            = "example.index.handler"
  signing_config_arn = "csc-0123456789abcdef0"
  s3 = {
    bucket        = "artifacts"
    key           = "v1/example-x86_64.zip"
    sha256_base64 = "adf854bd8817d18d5b255a3c6682e970e2a6c345436d6cd677bbca41858d90bf"
  }
}
