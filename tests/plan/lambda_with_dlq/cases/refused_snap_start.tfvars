name       = "resize"
snap_start = true
code       = { handler = "example.index.handler", path = "../../build/example-x86_64.zip" }
