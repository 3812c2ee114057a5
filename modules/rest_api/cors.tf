locals {
  # Velocity, which AWS documents for overriding a header once the mappings are done. Header names reach
  # the template as the client wrote them, and HTTP/2 clients write them in lower case.
  _choose_origin = var.cors == null ? "" : <<-EOT
    #set($origin = $input.params("Origin"))
    #if($origin == "")
    #set($origin = $input.params("origin"))
    #end
    #if(${join(" || ", [for origin in var.cors.allow_origins : "$origin == \"${origin}\""])})
    #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)
    #end
  EOT

  # Answer to OPTIONS by path.
  preflight = var.cors == null ? {} : {
    for path, methods in local._methods : path => {
      headers = {
        Access-Control-Allow-Origin  = var.cors.allow_origins[0]
        Access-Control-Allow-Methods = join(",", contains(methods, "ANY") ? local._methods_but_options : methods)
        Access-Control-Allow-Headers = join(",", var.cors.allow_headers)
        Access-Control-Max-Age       = tostring(var.cors.max_age_seconds)
        Vary                         = "Origin"
      }
      # The header has one static value, the first origin; the template puts another named origin in its place.
      template = length(var.cors.allow_origins) == 1 ? "" : local._choose_origin
    }
  }

  # A gateway response has no logic: where several origins are named, none of them would fit all, and an
  # error holds nothing that another origin may not read.
  _error_headers = var.cors == null ? {} : merge(
    { Access-Control-Allow-Origin = length(var.cors.allow_origins) == 1 ? var.cors.allow_origins[0] : "*" },
    length(var.cors.expose_headers) == 0 ? {} : { Access-Control-Expose-Headers = join(",", var.cors.expose_headers) },
  )
  _error_body = "{\"error\":{\"code\":\"$context.error.responseType\",\"message\":$context.error.messageString},\"request_id\":\"$context.requestId\"}"

  gateway_responses = {
    for type in ["DEFAULT_4XX", "DEFAULT_5XX"] : type => {
      headers = { for header, value in local._error_headers : "gatewayresponse.header.${header}" => "'${value}'" }
      body    = local._error_body
    }
  }
}

resource "aws_api_gateway_method" "preflight" {
  for_each = local.preflight

  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = local.resource_ids[each.key]
  http_method   = "OPTIONS"
  authorization = "NONE"
  # Requires nothing; without one, static analysis takes the method for unchecked.
  request_validator_id = aws_api_gateway_request_validator.this["parameters"].id
}

resource "aws_api_gateway_integration" "preflight" {
  for_each = local.preflight

  rest_api_id = aws_api_gateway_rest_api.this.id
  resource_id = aws_api_gateway_method.preflight[each.key].resource_id
  http_method = aws_api_gateway_method.preflight[each.key].http_method
  type        = "MOCK"

  request_templates = { "application/json" = "{\"statusCode\": 200}" }

  lifecycle {
    # A mock has no method. AWS drops one that is given (terraform-provider-aws #5697), an
    # emulator answers POST, and a difference would replace the integration at every apply.
    ignore_changes = [integration_http_method]
  }
}

resource "aws_api_gateway_method_response" "preflight" {
  for_each = local.preflight

  rest_api_id         = aws_api_gateway_rest_api.this.id
  resource_id         = aws_api_gateway_method.preflight[each.key].resource_id
  http_method         = aws_api_gateway_method.preflight[each.key].http_method
  status_code         = "200"
  response_parameters = { for header in keys(each.value.headers) : "method.response.header.${header}" => true }
}

resource "aws_api_gateway_integration_response" "preflight" {
  for_each = local.preflight

  rest_api_id         = aws_api_gateway_rest_api.this.id
  resource_id         = aws_api_gateway_integration.preflight[each.key].resource_id
  http_method         = aws_api_gateway_integration.preflight[each.key].http_method
  status_code         = aws_api_gateway_method_response.preflight[each.key].status_code
  response_parameters = { for header, value in each.value.headers : "method.response.header.${header}" => "'${value}'" }
  response_templates  = { "application/json" = each.value.template }
}

resource "aws_api_gateway_gateway_response" "this" {
  for_each = local.gateway_responses

  rest_api_id         = aws_api_gateway_rest_api.this.id
  response_type       = each.key
  response_parameters = each.value.headers
  response_templates  = { "application/json" = each.value.body }
}
