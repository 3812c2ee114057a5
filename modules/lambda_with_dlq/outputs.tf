output "arn" {
  description = "ARN of the function, without a version."
  value       = aws_lambda_function.this.arn
}

output "dead_letter_queue" {
  description = "The dead-letter queue: arn, name and url."
  value = {
    arn  = aws_sqs_queue.dead_letter.arn
    name = aws_sqs_queue.dead_letter.name
    url  = aws_sqs_queue.dead_letter.url
  }
}

output "invoke_arn" {
  description = "ARN that an API Gateway integration names: the alias's where there is one."
  value       = var.alias_name == null ? aws_lambda_function.this.invoke_arn : aws_lambda_alias.this[0].invoke_arn
}

output "log_group_name" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "role_arn" {
  description = "ARN of the role that the function runs as."
  value       = aws_iam_role.this.arn
}

output "trigger_arn" {
  description = "ARN that a trigger names: the alias's where there is one. Known once the permissions exist, which S3 requires before it accepts a notification."
  value       = var.alias_name == null ? aws_lambda_function.this.arn : aws_lambda_alias.this[0].arn

  depends_on = [aws_lambda_permission.this]
}
