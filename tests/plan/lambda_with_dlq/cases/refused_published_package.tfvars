name = "resize"
code = {
  handler      = "h"
  architecture = "arm64"
  runtime      = "python3.13"
  s3 = {
    bucket        = "artifacts"
    key           = "resize.zip"
    sha256_base64 = "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="
    runtime       = "python3.12"
    architecture  = "x86_64"
  }
}
