suffix                   = "pr-7"
architecture             = "arm64"
events_enabled           = true
execution_log_level      = "INFO"
region                   = "eu-west-1"
permissions_boundary_arn = "arn:aws:iam::000000000000:policy/serverless-uploads-dev-boundary"

artifacts = published_zips
