# Plans and applies fail with the credentials of any other account.
provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
}

module "stack" {
  source = "../../modules/serverless_stack"

  suffix                   = "prod"
  architecture             = "arm64"
  cors_allowed_origins     = var.cors_allowed_origins
  kms_key_arn              = var.kms_key_arn
  access_log               = var.access_log
  artifacts                = var.artifacts
  code_signing_config_arn  = var.code_signing_config_arn
  vpc                      = var.vpc
  permissions_boundary_arn = var.permissions_boundary_arn
  events_enabled           = var.events_enabled
  tracing_enabled          = true
  alarms                   = { topic_arns = var.alarm_topic_arns }
  logging                  = { retention_days = var.log_retention_days }

  api = {
    authorization       = "AWS_IAM"
    logging_enabled     = var.api_logging_enabled
    execution_log_level = "ERROR"
    web_acl             = var.web_acl_arn == null ? null : { arn = var.web_acl_arn }
  }

  # A rush of uploads must not take the concurrency that the API answers with.
  api_handler      = { reserved_concurrency = var.reserved_concurrency.api_handler }
  data_transformer = { reserved_concurrency = var.reserved_concurrency.data_transformer }
  image_processor  = { reserved_concurrency = var.reserved_concurrency.image_processor }
}
