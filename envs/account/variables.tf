variable "account_id" {
  description = "The AWS account that keeps the states; no other is touched."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^\\d{12}$", var.account_id))
    error_message = "account_id must have 12 digits; given: ${var.account_id}."
  }
}

variable "api_gateway_logging_enabled" {
  description = "Make the role that API Gateway writes logs with, and set it for the region. False when the account has one already: the setting is one for all APIs of the region."
  type        = bool
  default     = true
  nullable    = false
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-central-1"
  nullable    = false
}
