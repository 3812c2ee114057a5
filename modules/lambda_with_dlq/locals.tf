data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  _account   = data.aws_caller_identity.current.account_id
  _partition = data.aws_partition.current.partition
  # `name` is deprecated in provider 6, which calls it `region`; `id` is the same in both.
  _region = data.aws_region.current.id

  # Lambda drops lines below its filter's level, and takes a line without a level for INFO: metrics in the
  # log (embedded metric format) have none. So the filter lets INFO pass, and the function's logger, which
  # reads LOG_LEVEL, drops lines below a higher level.
  # Source: Lambda developer guide, "Log-level filtering".
  _filter_level = contains(["TRACE", "DEBUG"], var.logging.application_level) ? var.logging.application_level : "INFO"
  # Python has no TRACE.
  _logger_level = var.logging.application_level == "TRACE" ? "DEBUG" : var.logging.application_level

  # Built from names, so that a plan shows the whole of every policy.
  _function_arn   = "arn:${local._partition}:lambda:${local._region}:${local._account}:function:${var.name}"
  _log_group_name = "/aws/lambda/${var.name}"
  _log_group_arn  = "arn:${local._partition}:logs:${local._region}:${local._account}:log-group:${local._log_group_name}"
  _queue_name     = "${var.name}-dlq"
  _queue_arn      = "arn:${local._partition}:sqs:${local._region}:${local._account}:${local._queue_name}"
}
