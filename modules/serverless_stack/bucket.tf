module "uploads" {
  source = "../s3_uploads"

  name                 = local.bucket_name
  access_log           = var.access_log
  cors_allowed_origins = var.cors_allowed_origins
  force_destroy        = var.force_destroy
  kms_key_arn          = var.kms_key_arn
  lifecycle_rules      = var.lifecycle_rules
  output_prefixes      = [local.output_prefix]
  tags                 = local.tags

  notifications = {
    for name, p in local._processors : name => {
      function_arn = module.functions[name].trigger_arn
      prefixes     = [local.upload_prefix]
      suffixes     = keys(p.kinds)
    }
  }
}
