name                    = "resize"
provisioned_concurrency = 5
reserved_concurrency    = 2
code                    = { handler = "example.index.handler", path = "../../build/example-x86_64.zip" }
