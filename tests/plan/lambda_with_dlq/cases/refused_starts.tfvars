name                    = "resize"
alias_name              = "live"
snap_start              = true
provisioned_concurrency = 5
ephemeral_storage_mb    = 1024
code = {
  handler = "example.index.handler"
  runtime = "python3.11"
  s3      = { bucket = "artifacts", key = "e.zip", sha256_base64 = "rfhUvYgX0Y1bJVo8ZoLpcOKmw0VDbWzWd3vKQxYNkL8=" }
}
