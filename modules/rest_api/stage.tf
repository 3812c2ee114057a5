resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  description = "Configuration ${substr(sha256(jsonencode(local.served)), 0, 12)}"

  triggers = {
    served = sha256(jsonencode(local.served))
  }

  lifecycle {
    create_before_destroy = true
  }

  # A deployment is a snapshot: everything it is to hold must be there first.
  depends_on = [
    aws_api_gateway_gateway_response.this,
    aws_api_gateway_integration.route,
    aws_api_gateway_integration_response.not_allowed,
    aws_api_gateway_integration_response.preflight,
    aws_api_gateway_rest_api_policy.this,
  ]
}

resource "aws_api_gateway_stage" "this" {
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage_name
  xray_tracing_enabled = var.tracing_enabled
  tags                 = var.tags

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access[*].arn

    content {
      destination_arn = access_log_settings.value
      format          = jsonencode(local._access_log_format)
    }
  }

  # The group must be there before API Gateway writes into it.
  depends_on = [aws_cloudwatch_log_group.execution]
}

resource "aws_api_gateway_method_settings" "stage" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    # Whole requests and answers, presigned forms among them, are in no log.
    data_trace_enabled     = false
    logging_level          = var.execution_log_level
    metrics_enabled        = var.metrics_enabled
    throttling_burst_limit = var.throttling_burst_limit
    throttling_rate_limit  = var.throttling_rate_limit
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = var.web_acl == null ? 0 : 1

  resource_arn = aws_api_gateway_stage.this.arn
  web_acl_arn  = var.web_acl.arn
}
