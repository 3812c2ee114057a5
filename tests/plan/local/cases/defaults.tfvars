suffix = "local"
