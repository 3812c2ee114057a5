output "api_gateway_url" {
  description = "Address of the API, without a trailing slash."
  value       = module.stack.api_gateway_url
}

output "api_handler_arn" {
  description = "ARN of the function behind the API."
  value       = module.stack.api_handler_arn
}

output "api_id" {
  description = "ID of the API."
  value       = module.stack.api_id
}

output "api_log_group_name" {
  description = "Name of the log group with the API's access log; null without one."
  value       = module.stack.api_log_group_name
}

output "api_name" {
  description = "Name of the API, with which its alarms begin."
  value       = module.stack.api_name
}

output "api_stage_arn" {
  description = "ARN of the API's stage."
  value       = module.stack.api_stage_arn
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = module.stack.dashboard_name
}

output "data_transform_arn" {
  description = "ARN of the function that transforms tables."
  value       = module.stack.data_transform_arn
}

output "dead_letter_queue_urls" {
  description = "URLs of the dead-letter queues by function."
  value       = module.stack.dead_letter_queue_urls
}

output "function_names" {
  description = "Names of the functions in AWS by function."
  value       = module.stack.function_names
}

output "image_processor_arn" {
  description = "ARN of the function that processes images."
  value       = module.stack.image_processor_arn
}

output "log_group_names" {
  description = "Names of the log groups by function."
  value       = module.stack.log_group_names
}

output "role_arns" {
  description = "ARNs of the roles that the functions run as, by function."
  value       = module.stack.role_arns
}

output "s3_bucket_name" {
  description = "Name of the bucket."
  value       = module.stack.s3_bucket_name
}
