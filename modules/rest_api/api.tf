resource "aws_api_gateway_rest_api" "this" {
  name                         = var.name
  description                  = var.description
  disable_execute_api_endpoint = local.execute_api_disabled
  tags                         = var.tags

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

locals {
  # A policy that allowed "*" on a route with AWS_IAM would admit every signed caller, of any account.
  # So only the routes that do not rely on IAM are opened here; without a policy they are open as well.
  _open_requests = distinct(concat(
    [
      for route in values(local.routes) : "${var.stage_name}/${route.request_path}" if route.authorization != "AWS_IAM"
    ],
    var.cors == null ? [] : ["${var.stage_name}/OPTIONS/*"],
  ))
}

resource "aws_api_gateway_rest_api_policy" "this" {
  count = length(var.allowed_cidrs) > 0 ? 1 : 0

  rest_api_id = aws_api_gateway_rest_api.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        for requests in [local._open_requests] : {
          Sid       = "AllowRoutesWithoutIam"
          Effect    = "Allow"
          Principal = "*"
          Action    = "execute-api:Invoke"
          Resource  = [for request in requests : "${aws_api_gateway_rest_api.this.execution_arn}/${request}"]
        } if length(requests) > 0
      ],
      [
        {
          Sid       = "DenyOtherNetworks"
          Effect    = "Deny"
          Principal = "*"
          Action    = "execute-api:Invoke"
          Resource  = ["${aws_api_gateway_rest_api.this.execution_arn}/*"]
          Condition = { NotIpAddress = { "aws:SourceIp" = var.allowed_cidrs } }
        },
      ],
    )
  })
}
