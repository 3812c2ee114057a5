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

output "event_bus" {
  description = "The event bus of the results, for rules: arn and name; null without events."
  value       = module.stack.event_bus
}

output "event_targets" {
  description = "The receivers of the events by name: rule_name and rule_arn of the rule that sends to it, and queue_url of the dead-letter queue."
  value       = module.stack.event_targets
}

output "functions" {
  description = "The functions by name: arn, function_name, queue_url of the dead-letter queue, log_group, role_arn, and kinds, the endings of the files that start it with their content types."
  value       = module.stack.functions
}

output "image_processor_arn" {
  description = "ARN of the function that processes images."
  value       = module.stack.image_processor_arn
}

output "s3_bucket_name" {
  description = "Name of the bucket."
  value       = module.stack.s3_bucket_name
}
