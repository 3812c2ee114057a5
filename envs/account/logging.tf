# API Gateway writes the logs of every API of an account and region with one role, and refuses a stage
# that logs while there is none: "CloudWatch Logs role ARN must be set in account settings".
# Source: API Gateway developer guide, "Set up CloudWatch logging for REST APIs".
resource "aws_iam_role" "api_gateway_logging" {
  count = var.api_gateway_logging_enabled ? 1 : 0

  # Roles belong to the account, the setting to a region.
  name        = "api-gateway-logging-${var.region}"
  description = "API Gateway writes the logs of all APIs of ${var.region}"
  tags        = local._tags

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

data "aws_partition" "current" {}

resource "aws_iam_role_policy_attachment" "api_gateway_logging" {
  count = var.api_gateway_logging_enabled ? 1 : 0

  role       = aws_iam_role.api_gateway_logging[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "this" {
  count = var.api_gateway_logging_enabled ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.api_gateway_logging[0].arn

  lifecycle {
    # From version 6 of the provider on, destroying it takes the logs from all APIs of the region.
    prevent_destroy = true
  }

  # API Gateway tries the role when it is set.
  depends_on = [aws_iam_role_policy_attachment.api_gateway_logging]
}
