resource "aws_api_gateway_authorizer" "this" {
  for_each = var.authorizers

  rest_api_id                      = aws_api_gateway_rest_api.this.id
  name                             = each.key
  type                             = each.value.function == null ? "COGNITO_USER_POOLS" : "REQUEST"
  provider_arns                    = each.value.user_pool_arns
  authorizer_uri                   = try(each.value.function.invoke_arn, null)
  identity_source                  = join(",", each.value.identity_sources)
  authorizer_result_ttl_in_seconds = each.value.cache_seconds

  lifecycle {
    # A method must let go of its authorizer before the authorizer can be deleted.
    create_before_destroy = true
  }
}

resource "aws_lambda_permission" "authorizer" {
  for_each = { for name, authorizer in var.authorizers : name => authorizer if authorizer.function != null }

  statement_id  = "${var.name}-authorizer-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = each.value.function.name
  qualifier     = each.value.function.qualifier
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/authorizers/${aws_api_gateway_authorizer.this[each.key].id}"
}
