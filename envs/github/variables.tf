variable "account_id" {
  description = "The AWS account of the environments; no other is touched."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^\\d{12}$", var.account_id))
    error_message = "account_id must have 12 digits; given: ${var.account_id}."
  }
}

variable "artifact_bucket_arns" {
  description = "ARNs of the buckets that `make package-publish` copies zips to (the environments' artifacts). Empty: zips come from the workflow's checkout."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.artifact_bucket_arns : can(regex("^arn:[^:]+:s3:::[^*/]+$", arn))])
    error_message = "artifact_bucket_arns must be ARNs of buckets (arn:aws:s3:::NAME); given: ${join(", ", var.artifact_bucket_arns)}."
  }
}

variable "create_provider" {
  description = "Make the account's OpenID Connect provider for GitHub. False when the account has it already."
  type        = bool
  default     = true
  nullable    = false
}

variable "environments" {
  description = "Environments of the account, by suffix. The workflows deploy dev and prod."
  type        = set(string)
  default     = ["dev", "prod"]
  nullable    = false

  validation {
    condition     = alltrue([for e in var.environments : can(regex("^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$", e))])
    error_message = "environments must hold lower-case suffixes, such as dev and prod; given: ${join(", ", var.environments)}."
  }
}

variable "kms_key_arns" {
  description = "ARNs of the KMS keys that the environments use (their kms_key_arn). Empty: keys managed by AWS."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.kms_key_arns : can(regex("^arn:[^:]+:kms:[^:]+:\\d{12}:key/[^*]+$", arn))])
    error_message = "kms_key_arns must be ARNs of keys (arn:aws:kms:REGION:ACCOUNT:key/ID), not aliases; given: ${join(", ", var.kms_key_arns)}."
  }
}

variable "own_functions" {
  description = "Names of your own processors' functions, without the environment's suffix (word-count), beside those of functions/."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "region" {
  description = "AWS region of the environments."
  type        = string
  default     = "eu-central-1"
  nullable    = false
}

variable "subject_prefix" {
  description = "How GitHub names the repository in its tokens: what `gh api repos/OWNER/REPOSITORY/actions/oidc/customization/sub --jq .sub_claim_prefix` prints, such as repo:octo-org@123456/uploads@456789; repo:octo-org/uploads in repositories from before June 2026."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^repo:[A-Za-z0-9._-]+(@\\d+)?/[A-Za-z0-9._-]+(@\\d+)?$", var.subject_prefix))
    error_message = "subject_prefix must name one repository, as repo:OWNER@ID/REPOSITORY@ID or repo:OWNER/REPOSITORY, without wildcards; given: ${var.subject_prefix}."
  }
}

variable "web_acl_arns" {
  description = "ARNs of the regional WAF web ACLs in front of the environments' APIs (their web_acl_arn). Empty: none."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.web_acl_arns : can(regex("^arn:[^:]+:wafv2:[^:]+:\\d{12}:regional/webacl/[^*]+$", arn))])
    error_message = "web_acl_arns must be ARNs of regional web ACLs (arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/NAME/ID); given: ${join(", ", var.web_acl_arns)}."
  }
}
