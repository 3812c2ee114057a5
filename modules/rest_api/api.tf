resource "aws_api_gateway_rest_api" "this" {
  name                         = var.name
  description                  = var.description
  disable_execute_api_endpoint = try(!var.custom_domain.keep_execute_api_endpoint, false)
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
      for route in values(local.routes) : join("/", compact([
        var.stage_name, route.method == "ANY" ? "*" : route.method, route.request_path,
      ])) if route.authorization != "AWS_IAM"
    ],
    var.cors == null ? [] : ["${var.stage_name}/OPTIONS/*"],
  ))
}

data "aws_iam_policy_document" "network" {
  count = length(var.allowed_cidrs) > 0 ? 1 : 0

  dynamic "statement" {
    for_each = length(local._open_requests) > 0 ? [local._open_requests] : []

    content {
      sid       = "AllowRoutesWithoutIam"
      actions   = ["execute-api:Invoke"]
      resources = [for request in statement.value : "${aws_api_gateway_rest_api.this.execution_arn}/${request}"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }
    }
  }

  statement {
    sid       = "DenyOtherNetworks"
    effect    = "Deny"
    actions   = ["execute-api:Invoke"]
    resources = ["${aws_api_gateway_rest_api.this.execution_arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "NotIpAddress"
      variable = "aws:SourceIp"
      values   = var.allowed_cidrs
    }
  }
}

resource "aws_api_gateway_rest_api_policy" "this" {
  count = length(var.allowed_cidrs) > 0 ? 1 : 0

  rest_api_id = aws_api_gateway_rest_api.this.id
  policy      = data.aws_iam_policy_document.network[0].json
}
