output "boundary_arns" {
  description = "ARNs of the boundaries by environment, for its variable permissions_boundary_arn."
  value       = { for e, policy in aws_iam_policy.boundary : e => policy.arn }
}

output "role_arns" {
  description = "ARNs of the roles by environment and purpose: dev-plan, dev-deploy, …"
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}
