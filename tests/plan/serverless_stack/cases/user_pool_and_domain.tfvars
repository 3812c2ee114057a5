suffix           = "team-a"
max_upload_bytes = 5497558138880
events_enabled   = true
alarms           = { enabled = false, unattended = true }
api = {
  authorization = "users"
  authorizers = {
    users = { user_pool_arns = ["arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc"] }
    judge = {
      function = {
        name       = "judge"
        invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:judge:live/invocations"
        qualifier  = "live"
      }
    }
  }
  owners                = { claim = "sub", admins = { "cognito:groups" = ["admins"] }, max_files = 1000, max_bytes = 1073741824 }
  logging_enabled       = false
  deletion_enabled      = true
  reprocessing_enabled  = true
  multipart_enabled     = true
  deduplication_enabled = true
  tag_names             = ["team", "cost center"]
  web_acl               = { arn = "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/uploads/0a1b" }
  custom_domain = {
    name            = "uploads.example.com"
    certificate_arn = "arn:aws:acm:us-east-1:000000000000:certificate/0a1b"
    base_path       = "v1"
  }
}
