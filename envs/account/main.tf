# What the environments of an account and region share: the bucket that keeps their states, and the role
# that API Gateway writes logs with. Applied once, with a local state; if that is lost, `terraform import`
# brings it back.
provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
}

locals {
  _tags = { Project = "ServerlessInfrastructure", ManagedBy = "Terraform" }
}

module "state" {
  source = "../../modules/s3_uploads"

  name = "terraform-state-${var.account_id}"
  # Old states are what one goes back to after a mistake.
  noncurrent_version_expiration_days = 365
  tags                               = local._tags
}

# Without the states nothing else can be changed or destroyed any more. Delete this to destroy them.
resource "terraform_data" "deletion_protection" {
  triggers_replace = [module.state.name]

  lifecycle {
    prevent_destroy = true
  }
}
