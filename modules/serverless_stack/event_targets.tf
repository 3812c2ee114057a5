# Receivers of the events: a rule on the bus, its target, and the queue of what could not be delivered.
locals {
  _target_names = { for name in keys(var.event_targets) : name => "${local._event_bus_name}-${name}" }
  _webhooks     = { for name, t in var.event_targets : name => t if t.url != null }

  # Built from names, so that the plan shows the policies whole.
  _rule_arns         = { for name in keys(var.event_targets) : name => "${local._events_arn_prefix}rule/${local._event_bus_name}/${name}" }
  _target_queue_arns = { for name, n in local._target_names : name => "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${local._account}:${n}-dlq" }
}

resource "aws_cloudwatch_event_rule" "target" {
  for_each = var.event_targets

  name           = each.key
  description    = "Results of ${var.suffix} for ${each.key}"
  event_bus_name = one(values(aws_cloudwatch_event_bus.results)).name
  tags           = local.tags

  event_pattern = jsonencode({
    source = ["serverless-uploads"]
    detail = merge(
      { state = each.value.states },
      each.value.kinds == null ? {} : { key = [for ending in each.value.kinds : { suffix = { equals-ignore-case = ending } }] },
    )
  })
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = var.event_targets

  rule           = aws_cloudwatch_event_rule.target[each.key].name
  event_bus_name = aws_cloudwatch_event_rule.target[each.key].event_bus_name
  target_id      = each.key
  arn            = try(aws_cloudwatch_event_api_destination.webhook[each.key].arn, coalesce(each.value.queue_arn, each.value.topic_arn))
  # Queues and topics let the rule in themselves. Source: EventBridge user guide, "Using resource-based policies".
  role_arn = each.value.url == null ? null : aws_iam_role.webhooks[0].arn

  dead_letter_config {
    arn = aws_sqs_queue.target[each.key].arn
  }

  depends_on = [aws_iam_role_policy.webhooks]
}

resource "aws_cloudwatch_event_api_destination" "webhook" {
  for_each = local._webhooks

  name                             = local._target_names[each.key]
  description                      = "Webhook of ${each.key}"
  invocation_endpoint              = each.value.url
  http_method                      = "POST"
  invocation_rate_limit_per_second = each.value.requests_per_second
  connection_arn                   = each.value.connection_arn
}

resource "aws_iam_role" "webhooks" {
  count = length(local._webhooks) == 0 ? 0 : 1

  # Roles belong to the account, buses to a region.
  name        = "${local._event_bus_name}-webhooks-${data.aws_region.current.id}"
  description = "Sends events of ${var.suffix} to webhooks"
  tags        = local.tags

  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SendFromRules"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local._account } }
    }]
  })
}

resource "aws_iam_role_policy" "webhooks" {
  count = length(aws_iam_role.webhooks)

  name = "webhooks"
  role = aws_iam_role.webhooks[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "SendToWebhooks"
      Effect = "Allow"
      Action = "events:InvokeApiDestination"
      # AWS adds an ID to the name.
      Resource = [for name in keys(local._webhooks) : "${local._events_arn_prefix}api-destination/${local._target_names[name]}/*"]
    }]
  })
}

resource "aws_sqs_queue" "target" {
  for_each = local._target_names

  name                      = "${each.value}-dlq"
  message_retention_seconds = 14 * 24 * 60 * 60
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = local.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RefusePlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = local._target_queue_arns[each.key]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "TakeFromRule"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local._target_queue_arns[each.key]
        Condition = { ArnEquals = { "aws:SourceArn" = local._rule_arns[each.key] } }
      },
    ]
  })
}

resource "aws_cloudwatch_metric_alarm" "target" {
  for_each = { for name, n in local._target_names : name => n if var.alarms.enabled }

  alarm_name          = "${each.value}-dead-letters"
  alarm_description   = "Events could not be delivered to ${each.key} and wait in ${each.value}-dlq: the attribute ERROR_MESSAGE of a message says why; repair the receiver, send them again."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  statistic           = "Maximum"
  dimensions          = { QueueName = "${each.value}-dlq" }
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = local.tags
}
