name = "resize"
code = { handler = "h", path = "../../build/stale-x86_64.zip" }
