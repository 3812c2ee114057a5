locals {
  # One JSON line per request; numbers come as text because a value may be "-".
  _access_log_format = {
    request_id             = "$context.requestId"
    time                   = "$context.requestTime"
    method                 = "$context.httpMethod"
    route                  = "$context.resourcePath"
    path                   = "$context.path"
    status                 = "$context.status"
    latency_ms             = "$context.responseLatency"
    integration_latency_ms = "$context.integrationLatency"
    response_bytes         = "$context.responseLength"
    error                  = "$context.error.responseType"
    integration_error      = "$context.integration.error"
    source_ip              = "$context.identity.sourceIp"
    user_agent             = "$context.identity.userAgent"
    caller                 = "$context.identity.caller"
    trace_id               = "$context.xrayTraceId"
  }
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/${var.name}/${var.stage_name}/access"
  retention_in_days = var.access_log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

# The name is API Gateway's, not ours.
resource "aws_cloudwatch_log_group" "execution" {
  count = var.execution_log_level == "OFF" ? 0 : 1

  name              = "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.this.id}/${var.stage_name}"
  retention_in_days = var.access_log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

data "aws_partition" "current" {}

resource "aws_iam_role" "logging" {
  count = var.create_account_logging_role ? 1 : 0

  name        = "${var.name}-logging"
  description = "API Gateway writes the logs of all APIs of this account and region with it."
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "WriteLogsAsApiGateway"
        Effect    = "Allow"
        Principal = { Service = "apigateway.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "logging" {
  count = var.create_account_logging_role ? 1 : 0

  role       = aws_iam_role.logging[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "this" {
  count = var.create_account_logging_role ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.logging[0].arn

  # API Gateway tries the role when it is set.
  depends_on = [aws_iam_role_policy_attachment.logging]
}
