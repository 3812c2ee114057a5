# The bucket that keeps the states of dev and prod. Applied once an account, with a local state; if
# that is lost, `terraform import` of the bucket's resources brings it back.
provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
}

module "state" {
  source = "../../modules/s3_uploads"

  name = "terraform-state-${var.account_id}"
  # Old states are what one goes back to after a mistake.
  noncurrent_version_expiration_days = 365
  allow_http_from_loopback           = var.allow_http_from_loopback
  tags                               = { Project = "ServerlessInfrastructure", ManagedBy = "Terraform" }
}

# Without the states nothing else can be changed or destroyed any more. Delete this to destroy them.
resource "terraform_data" "deletion_protection" {
  triggers_replace = [module.state.name]

  lifecycle {
    prevent_destroy = true
  }
}
