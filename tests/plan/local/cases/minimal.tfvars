suffix       = "laptop"
architecture = "arm64"
