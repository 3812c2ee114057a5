suffix       = "local"
architecture = "arm64"
