output "arn" {
  description = "ARN of the API."
  value       = aws_api_gateway_rest_api.this.arn
}

output "custom_domain_target" {
  description = "Where a DNS alias record of the custom domain must point (name and zone_id); null without a custom domain."
  value = one([
    for domain in aws_api_gateway_domain_name.this : {
      name    = domain.regional_domain_name
      zone_id = domain.regional_zone_id
    }
  ])
}

output "deployment_id" {
  description = "ID of the deployment that the stage serves; it changes when, and only when, something served changes."
  value       = aws_api_gateway_deployment.this.id
}

output "execution_arn" {
  description = "ARN prefix of the API's requests, for policies with execute-api:Invoke."
  value       = aws_api_gateway_rest_api.this.execution_arn
}

output "id" {
  description = "ID of the API."
  value       = aws_api_gateway_rest_api.this.id
}

output "log_group_name" {
  description = "Name of the access log's group; null without an access log."
  value       = one(aws_cloudwatch_log_group.access[*].name)
}

output "name" {
  description = "Name of the API, the ApiName dimension of its metrics."
  value       = aws_api_gateway_rest_api.this.name
}

output "stage_arn" {
  description = "ARN of the stage."
  value       = aws_api_gateway_stage.this.arn
}

output "stage_name" {
  description = "Name of the stage, the Stage dimension of its metrics."
  value       = aws_api_gateway_stage.this.stage_name
}

output "url" {
  description = "Address of the API, without a trailing slash: the custom domain's where there is one."
  value       = local.url
}
