resource "aws_cloudwatch_log_group" "this" {
  name              = local._log_group_name
  retention_in_days = var.logging.retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}
