name        = "resize"
code        = { handler = "example.index.handler", path = "../../build/example-x86_64.zip" }
environment = { LONG = join("", [for number in range(500) : "12345678,"]) }
