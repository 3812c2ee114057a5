locals {
  _on_function = { FunctionName = var.name }

  # { name = { description, namespace, metric, statistic, dimensions, comparison, threshold, period } }
  _all_alarms = {
    dead-letters = {
      description = "Events of ${var.name} failed for good and wait in ${local._queue_name}: find the cause in ${local._log_group_name}, repair it, replay them."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      statistic   = "Maximum"
      dimensions  = { QueueName = local._queue_name }
      threshold   = 1
      period      = 60
      wanted      = true
    }
    errors = {
      description = "${var.name} raised errors: see ${local._log_group_name}."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      statistic   = "Sum"
      dimensions  = local._on_function
      threshold   = 1
      period      = 300
      wanted      = true
    }
    throttles = {
      description = "${var.name} was throttled: its reserve or the account's concurrency is used up."
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      statistic   = "Sum"
      dimensions  = local._on_function
      threshold   = 1
      period      = 300
      wanted      = true
    }
    duration = {
      description = "${var.name} came close to its timeout of ${var.timeout_seconds} s."
      namespace   = "AWS/Lambda"
      metric      = "Duration"
      statistic   = "Maximum"
      dimensions  = local._on_function
      threshold   = var.timeout_seconds * 1000 * var.alarms.share_of_timeout
      period      = 300
      wanted      = true
    }
    concurrency = {
      description = "${var.name} came close to its reserve of ${var.reserved_concurrency} executions."
      namespace   = "AWS/Lambda"
      metric      = "ConcurrentExecutions"
      statistic   = "Maximum"
      dimensions  = local._on_function
      threshold   = ceil(var.reserved_concurrency * var.alarms.share_of_concurrent)
      period      = 60
      wanted      = var.reserved_concurrency > 0
    }
  }
  _alarms = { for name, a in local._all_alarms : name => a if a.wanted && var.alarms.enabled }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local._alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = each.value.dimensions
  period              = each.value.period
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = var.tags
}

check "alarms_have_somebody_to_tell" {
  assert {
    condition     = !var.alarms.enabled || var.alarms.unattended || length(var.alarms.topic_arns) > 0
    error_message = "The alarms of ${var.name} tell nobody: give alarms.topic_arns, or say so with alarms.unattended = true."
  }
}
