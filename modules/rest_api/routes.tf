resource "aws_api_gateway_model" "request" {
  for_each = { for name, route in local.routes : name => route if route.model != null }

  rest_api_id  = aws_api_gateway_rest_api.this.id
  name         = each.value.model
  description  = "Body of ${each.key}."
  content_type = "application/json"
  schema       = each.value.schema

  lifecycle {
    # A method must let go of its model before the model can be deleted.
    create_before_destroy = true
  }
}

resource "aws_api_gateway_request_validator" "this" {
  # Every method validates its required parameters, and one with a schema its body, too.
  for_each = toset(concat(["parameters"], anytrue([for route in values(local.routes) : route.model != null]) ? ["body"] : []))

  rest_api_id                 = aws_api_gateway_rest_api.this.id
  name                        = each.key
  validate_request_body       = each.key == "body"
  validate_request_parameters = true

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_method" "route" {
  for_each = local.routes

  rest_api_id          = aws_api_gateway_rest_api.this.id
  resource_id          = local.resource_ids[each.value.path]
  http_method          = each.value.method
  operation_name       = each.key
  authorization        = each.value.authorization
  authorizer_id        = each.value.authorizer == null ? null : aws_api_gateway_authorizer.this[each.value.authorizer].id
  authorization_scopes = each.value.authorization_scopes
  request_parameters   = each.value.request_parameters
  request_models       = each.value.model == null ? null : { "application/json" = aws_api_gateway_model.request[each.key].name }
  request_validator_id = aws_api_gateway_request_validator.this[each.value.model == null ? "parameters" : "body"].id
}

resource "aws_api_gateway_integration" "route" {
  for_each = local.routes

  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = aws_api_gateway_method.route[each.key].resource_id
  http_method             = aws_api_gateway_method.route[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = each.value.function.invoke_arn
  timeout_milliseconds    = each.value.timeout_seconds * 1000
}

# The stage is part of the source, so the console's "test invoke" is refused. There is no
# source_account: API Gateway does not send it, and the source's ARN holds the account.
resource "aws_lambda_permission" "route" {
  for_each = local.routes

  statement_id  = "${var.name}-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = each.value.function.name
  qualifier     = each.value.function.qualifier
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${var.stage_name}/${each.value.request_path}"
}
