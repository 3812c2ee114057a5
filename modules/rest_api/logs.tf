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
  count = var.access_log_enabled ? 1 : 0

  name              = "/aws/apigateway/${var.name}/${var.stage_name}/access"
  retention_in_days = var.access_log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

# API Gateway gives the group its name, and makes it itself, without a retention, if it is not there.
resource "aws_cloudwatch_log_group" "execution" {
  count = var.execution_log_level == "OFF" ? 0 : 1

  name              = "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.this.id}/${var.stage_name}"
  retention_in_days = var.access_log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}
