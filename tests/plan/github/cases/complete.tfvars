account_id     = "000000000000"
environments   = ["dev", "prod"]
region         = "eu-west-1"
subject_prefix = "repo:octo-org@123456/uploads@456789"
