account_id           = "000000000000"
environments         = ["prod"]
region               = "eu-west-1"
subject_prefix       = "repo:octo-org@123456/uploads@456789"
artifact_bucket_arns = ["arn:aws:s3:::builds"]
kms_key_arns         = ["arn:aws:kms:eu-west-1:000000000000:key/abc"]
web_acl_arns         = ["arn:aws:wafv2:eu-west-1:000000000000:regional/webacl/uploads/1"]
own_functions        = ["word-count"]
