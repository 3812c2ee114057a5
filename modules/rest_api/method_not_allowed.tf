locals {
  # Greedy paths as patterns of the paths below them: "shops/{id}/{rest+}" => "^shops/[^/]+/."
  _greedy = {
    for path in keys(local._methods) :
    path => "^${join("", [
      for part in slice(split("/", path), 0, length(split("/", path)) - 1) :
      "${startswith(part, "{") ? "[^/]+" : replace(part, ".", "[.]")}/"
    ])}." if endswith(path, "+}")
  }

  # Answer to the methods that a path lacks, by path. API Gateway hands such a request on to a greedy path
  # above, if there is one; an answer here would take it away from the function there.
  not_allowed = {
    for path, methods in local._methods : path => {
      headers = merge(local._error_headers, {
        Allow = join(", ", sort(concat(methods, var.cors == null ? [] : ["OPTIONS"])))
      })
      body = jsonencode({
        error      = { code = "method_not_allowed", message = "This address takes ${join(", ", methods)} only." }
        request_id = "$context.requestId"
      })
    }
    if !contains(methods, "ANY") && !anytrue([
      for greedy, below in local._greedy : greedy != path && can(regex(below, path))
    ])
  }

  # A mock takes a body that no template stands for as its own instruction, and fails with 500. There is no
  # template for all types: those that clients send are here, others are refused with 415.
  _not_allowed_types = [
    "application/json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "application/xml",
    "multipart/form-data",
    "text/csv",
    "text/plain",
  ]
}

resource "aws_api_gateway_method" "not_allowed" {
  for_each = local.not_allowed

  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = local.resource_ids[each.key]
  http_method   = "ANY"
  authorization = "NONE"
  # As for a preflight.
  request_validator_id = aws_api_gateway_request_validator.this["parameters"].id
}

resource "aws_api_gateway_integration" "not_allowed" {
  for_each = local.not_allowed

  rest_api_id          = aws_api_gateway_rest_api.this.id
  resource_id          = aws_api_gateway_method.not_allowed[each.key].resource_id
  http_method          = aws_api_gateway_method.not_allowed[each.key].http_method
  type                 = "MOCK"
  passthrough_behavior = "NEVER"
  request_templates    = { for type in local._not_allowed_types : type => "{\"statusCode\": 405}" }

  lifecycle {
    # As for a preflight.
    ignore_changes = [integration_http_method]
  }
}

resource "aws_api_gateway_method_response" "not_allowed" {
  for_each = local.not_allowed

  rest_api_id         = aws_api_gateway_rest_api.this.id
  resource_id         = aws_api_gateway_method.not_allowed[each.key].resource_id
  http_method         = aws_api_gateway_method.not_allowed[each.key].http_method
  status_code         = "405"
  response_parameters = { for header in keys(each.value.headers) : "method.response.header.${header}" => true }
}

resource "aws_api_gateway_integration_response" "not_allowed" {
  for_each = local.not_allowed

  rest_api_id         = aws_api_gateway_rest_api.this.id
  resource_id         = aws_api_gateway_integration.not_allowed[each.key].resource_id
  http_method         = aws_api_gateway_integration.not_allowed[each.key].http_method
  status_code         = aws_api_gateway_method_response.not_allowed[each.key].status_code
  response_parameters = { for header, value in each.value.headers : "method.response.header.${header}" => "'${value}'" }
  response_templates  = { "application/json" = each.value.body }
}
