name = "resize"
code = { handler = "h", path = "../../build/example-x86_64.zip", architecture = "arm64", runtime = "python3.13" }
