account_id     = "prod"
environments   = ["DEV"]
subject_prefix = "repo:octo-org/*"
