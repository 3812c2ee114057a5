locals {
  # "plan/key" => { plan, key }
  _api_keys = merge([
    for plan, settings in var.usage_plans : {
      for key in settings.api_keys : "${plan}/${key}" => { plan = plan, key = key }
    }
  ]...)
}

resource "aws_api_gateway_usage_plan" "this" {
  for_each = var.usage_plans

  name = "${var.name}-${each.key}"
  tags = var.tags

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  throttle_settings {
    burst_limit = each.value.burst_limit
    rate_limit  = each.value.rate_limit
  }

  dynamic "quota_settings" {
    for_each = each.value.quota == null ? [] : [each.value.quota]

    content {
      limit  = quota_settings.value.limit
      period = quota_settings.value.period
    }
  }
}

resource "aws_api_gateway_api_key" "this" {
  for_each = local._api_keys

  name = "${var.name}-${each.value.plan}-${each.value.key}"
  tags = var.tags
}

resource "aws_api_gateway_usage_plan_key" "this" {
  for_each = local._api_keys

  usage_plan_id = aws_api_gateway_usage_plan.this[each.value.plan].id
  key_id        = aws_api_gateway_api_key.this[each.key].id
  key_type      = "API_KEY"
}
