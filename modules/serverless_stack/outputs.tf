output "api_gateway_url" {
  description = "Address of the API, without a trailing slash."
  value       = module.api.url
}

output "api_handler_arn" {
  description = "ARN of the function behind the API."
  value       = module.functions["api_handler"].arn
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
  value       = module.functions["data_transformer"].arn
}

output "event_bus" {
  description = "The event bus of the results, for rules: arn and name; null without events."
  value       = one([for bus in aws_cloudwatch_event_bus.results : { arn = bus.arn, name = bus.name }])
}

output "event_targets" {
  description = "The receivers of the events by name: rule_name and rule_arn of the rule that sends to it, and queue_url of the dead-letter queue."
  value = {
    for name, rule in aws_cloudwatch_event_rule.target : name => {
      rule_name = rule.name
      rule_arn  = rule.arn
      queue_url = aws_sqs_queue.target[name].url
    }
  }
}

output "functions" {
  description = "The functions by name: arn, function_name, queue_url of the dead-letter queue, log_group, role_arn, and kinds, the endings of the files that start it with their content types."
  value = {
    for name, f in local._functions : name => {
      arn           = module.functions[name].arn
      function_name = module.functions[name].name
      queue_url     = module.functions[name].dead_letter_queue.url
      log_group     = module.functions[name].log_group_name
      role_arn      = module.functions[name].role_arn
      kinds         = f.kinds
    }
  }
}

output "image_processor_arn" {
  description = "ARN of the function that processes images."
  value       = module.functions["image_processor"].arn
}

output "s3_bucket_name" {
  description = "Name of the bucket."
  value       = module.uploads.name
}
