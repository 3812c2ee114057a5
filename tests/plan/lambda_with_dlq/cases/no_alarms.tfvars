name   = "resize"
code   = { path = "../../build/example-x86_64.zip", handler = "example.index.handler" }
alarms = { enabled = false }
