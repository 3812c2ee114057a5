variable "account_id" {
  description = "The AWS account of the environments; no other is touched."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^\\d{12}$", var.account_id))
    error_message = "account_id must have 12 digits; given: ${var.account_id}."
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
