account_id      = "000000000000"
create_provider = false
environments    = ["prod"]
subject_prefix  = "repo:octo-org/uploads"
