locals {
  # { name = { description, metric, statistic, threshold } }
  _alarms = {
    errors = {
      description = "${var.name} answered requests with 5XX: see its access log and its functions' logs."
      metric      = "5XXError"
      statistic   = "Average" # of an error count: the share of all requests
      threshold   = var.alarms.error_share
    }
    latency = {
      description = "${var.name} came close to the ${local._longest_timeout_seconds} s that a function may take."
      metric      = "IntegrationLatency"
      statistic   = "p99"
      threshold   = local._longest_timeout_seconds * 1000 * var.alarms.share_of_timeout
    }
  }
  _longest_timeout_seconds = max(values(var.routes)[*].timeout_seconds...)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.alarms.enabled ? local._alarms : {}

  alarm_name          = "${var.name}-${var.stage_name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/ApiGateway"
  metric_name         = each.value.metric
  statistic           = each.key == "errors" ? each.value.statistic : null
  extended_statistic  = each.key == "latency" ? each.value.statistic : null
  dimensions          = { ApiName = var.name, Stage = var.stage_name }
  period              = 300
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
