# The emulator's address comes from AWS_ENDPOINT_URL. With these credentials and this account id
# nothing can be made at AWS, whatever the environment variables are.
provider "aws" {
  region              = "us-east-1"
  access_key          = "test"
  secret_key          = "test"
  allowed_account_ids = ["000000000000"]
}

module "stack" {
  source = "../../modules/serverless_stack"

  suffix        = var.suffix
  architecture  = var.architecture
  package_dir   = var.package_dir
  force_destroy = true
  alarms        = { unattended = true }
  logging       = { level = "DEBUG" }
}
