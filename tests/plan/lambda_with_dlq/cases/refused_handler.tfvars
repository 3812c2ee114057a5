name                    = "resize"
provisioned_concurrency = 0.5
alias_name              = "live"
code                    = { handler = "other.main", path = "../../build/example-x86_64.zip" }
