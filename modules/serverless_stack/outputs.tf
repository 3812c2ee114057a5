output "api_gateway_url" {
  description = "Address of the API, without a trailing slash."
  value       = module.api.url
}

output "api_handler_arn" {
  description = "ARN of the function behind the API."
  value       = module.api_handler.arn
}

output "api_id" {
  description = "ID of the API."
  value       = module.api.id
}

output "api_log_group_name" {
  description = "Name of the log group with the API's access log; null without one."
  value       = module.api.log_group_name
}

output "api_name" {
  description = "Name of the API, with which its alarms begin."
  value       = module.api.name
}

output "api_stage_arn" {
  description = "ARN of the API's stage."
  value       = module.api.stage_arn
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "data_transform_arn" {
  description = "ARN of the function that transforms tables."
  value       = module.data_transformer.arn
}

output "dead_letter_queue_urls" {
  description = "URLs of the dead-letter queues by function."
  value       = { for f, m in local._functions : f => m.dead_letter_queue.url }
}

output "function_names" {
  description = "Names of the functions in AWS by function."
  value       = { for f, m in local._functions : f => m.name }
}

output "image_processor_arn" {
  description = "ARN of the function that processes images."
  value       = module.image_processor.arn
}

output "log_group_names" {
  description = "Names of the log groups by function."
  value       = { for f, m in local._functions : f => m.log_group_name }
}

output "role_arns" {
  description = "ARNs of the roles that the functions run as, by function."
  value       = { for f, m in local._functions : f => m.role_arn }
}

output "s3_bucket_name" {
  description = "Name of the bucket."
  value       = module.uploads.name
}

locals {
  _functions = {
    api_handler      = module.api_handler
    data_transformer = module.data_transformer
    image_processor  = module.image_processor
  }
}
