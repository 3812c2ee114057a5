data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  _account   = data.aws_caller_identity.current.account_id
  _partition = data.aws_partition.current.partition
  # `name` is deprecated in provider 6, which calls it `region`; `id` is the same in both.
  _region = data.aws_region.current.id

  # Built from names, so that a plan shows the whole of every policy.
  _function_arn   = "arn:${local._partition}:lambda:${local._region}:${local._account}:function:${var.name}"
  _log_group_name = "/aws/lambda/${var.name}"
  _log_group_arn  = "arn:${local._partition}:logs:${local._region}:${local._account}:log-group:${local._log_group_name}"
  _queue_name     = "${var.name}-dlq"
  _queue_arn      = "arn:${local._partition}:sqs:${local._region}:${local._account}:${local._queue_name}"
}
