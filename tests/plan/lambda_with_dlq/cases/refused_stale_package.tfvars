name = "resize"
code = { handler = "stale.index.handler", path = "../../build/stale-x86_64.zip" }
