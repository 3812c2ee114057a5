account_id           = "prod"
environments         = ["DEV"]
subject_prefix       = "repo:octo-org/*"
artifact_bucket_arns = ["builds"]
kms_key_arns         = ["arn:aws:kms:eu-west-1:000000000000:alias/uploads"]
web_acl_arns         = ["arn:aws:wafv2:us-east-1:000000000000:global/webacl/uploads/1"]
