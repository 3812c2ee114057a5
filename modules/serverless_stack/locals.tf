data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  _account = data.aws_caller_identity.current.account_id

  bucket_name = coalesce(var.bucket_name, "serverless-uploads-${var.suffix}-${local._account}")
  # Built from the name: the bucket's notifications need the functions, and these the bucket's ARN.
  bucket_arn = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket_name}"

  # The only place that clients write, and the only place that functions write.
  upload_prefix = "uploads/"
  output_prefix = "processed/"

  tags = merge(
    {
      Project     = "ServerlessInfrastructure"
      Environment = var.suffix
      CostCenter  = "Engineering"
      ManagedBy   = "Terraform"
    },
    var.tags,
  )
}
