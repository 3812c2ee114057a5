name = "resize"
code = { handler = "example.index.handler", path = "../../build/example-x86_64.zip", architecture = "arm64", runtime = "python3.13" }
