provider "aws" {
  region = var.region
}

module "stack" {
  source = "../../modules/serverless_stack"

  suffix                   = var.suffix
  architecture             = var.architecture
  artifacts                = var.artifacts
  force_destroy            = true
  alarms                   = { unattended = true }
  logging                  = { level = "DEBUG" }
  permissions_boundary_arn = var.permissions_boundary_arn
  events_enabled           = var.events_enabled

  api = {
    logging_enabled     = var.api_logging_enabled
    execution_log_level = var.execution_log_level
  }
}
