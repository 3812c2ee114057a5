name       = "resize"
alias_name = "live"
snap_start = true
code       = { handler = "example.index.handler", path = "../../build/example-x86_64.zip" }
alarms     = { unattended = true }
