resource "aws_api_gateway_rest_api" "this" {
  name                         = var.name
  description                  = var.description
  disable_execute_api_endpoint = var.custom_domain != null
  tags                         = var.tags

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

locals {
  # A policy that allowed "*" on a route with AWS_IAM would admit every signed caller, of any account.
  # So only the routes that do not rely on IAM are opened here; without a policy they are open as well.
  _opened = flatten([
    for name, route in local.routes : [
      for method in route.method == "ANY" ? concat(local._methods_but_options, ["OPTIONS"]) : [route.method] :
      { route = name, method = method, request = replace(route.request_path, "/^[*]/", method) }
    ] if route.authorization != "AWS_IAM"
  ])
  _open_requests = distinct([
    for request in concat(local._opened[*].request, var.cors == null ? [] : ["OPTIONS/*"]) : "${var.stage_name}/${request}"
  ])

  # In a policy "*" stands for slashes, too: a request that is opened may be one of a deeper route.
  # Overlaps of two patterns are detected by their ends only, which may refuse too much.
  _opened_signed = distinct(flatten([
    for open in local._opened : [
      for name, route in local.routes : "${open.route} covers ${name}"
      if route.authorization == "AWS_IAM" && contains(["ANY", open.method], route.method) && alltrue([
        for ends in [split("*", open.request)] : length(ends) > 1 && alltrue([
          for signed in [split("*", replace(route.request_path, "/^[*]/", open.method))] : (
            startswith(signed[0], ends[0]) || length(signed) > 1 && startswith(ends[0], signed[0])
            ) && (
            endswith(reverse(signed)[0], reverse(ends)[0]) || length(signed) > 1 && endswith(reverse(ends)[0], reverse(signed)[0])
          )
        ])
      ])
    ]
  ]))
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

  lifecycle {
    precondition {
      condition     = length(local._opened_signed) == 0
      error_message = "With allowed_cidrs, routes without AWS_IAM are opened by a policy, in which a parameter stands for slashes, too: ${join("; ", local._opened_signed)}. Give them the same authorization, or paths that differ before the parameter."
    }
  }
}
