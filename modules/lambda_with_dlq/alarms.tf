locals {
  # { name = { description, metric, statistic, threshold } }, and where it is not that of the function's own
  # metrics of five minutes: namespace, dimensions, period.
  _alarms = merge(
    {
      dead-letters = {
        description = "Events of ${var.name} failed for good and wait in ${local._queue_name}: find the cause in ${local._log_group_name}, repair it, replay them."
        namespace   = "AWS/SQS"
        metric      = "ApproximateNumberOfMessagesVisible"
        dimensions  = { QueueName = local._queue_name }
        statistic   = "Maximum"
        threshold   = 1
        period      = 60
      }
      errors = {
        description = "${var.name} raised errors: see ${local._log_group_name}."
        metric      = "Errors"
        statistic   = "Sum"
        threshold   = 1
      }
      throttles = {
        description = "${var.name} was throttled: its reserve or the account's concurrency is used up."
        metric      = "Throttles"
        statistic   = "Sum"
        threshold   = 1
      }
      duration = {
        description = "${var.name} came close to its timeout of ${var.timeout_seconds} s."
        metric      = "Duration"
        statistic   = "Maximum"
        threshold   = var.timeout_seconds * 1000 * var.alarms.share_of_timeout
      }
    },
    var.reserved_concurrency <= 0 ? {} : {
      concurrency = {
        description = "${var.name} came close to its reserve of ${var.reserved_concurrency} executions."
        metric      = "ConcurrentExecutions"
        statistic   = "Maximum"
        threshold   = ceil(var.reserved_concurrency * var.alarms.share_of_concurrent)
        period      = 60
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, a in local._alarms : name => a if var.alarms.enabled }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = try(each.value.namespace, "AWS/Lambda")
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = try(each.value.dimensions, { FunctionName = var.name })
  period              = try(each.value.period, 300)
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = var.tags
}

check "alarms_have_a_receiver" {
  assert {
    condition     = !var.alarms.enabled || var.alarms.unattended || length(var.alarms.topic_arns) > 0
    error_message = "The alarms of ${var.name} notify nobody: set alarms.topic_arns, or alarms.unattended = true."
  }
}
