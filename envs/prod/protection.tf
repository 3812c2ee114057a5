# While this file is here, Terraform refuses every plan that would destroy the environment, or that
# would replace its bucket. To take the environment down on purpose, delete the file, apply, destroy.
resource "terraform_data" "deletion_protection" {
  triggers_replace = [module.stack.s3_bucket_name]

  lifecycle {
    prevent_destroy = true
  }
}
