variable "access_log" {
  description = "Bucket that receives the upload bucket's server access logs, and the prefix of their keys. Null: no access logs."
  type = object({
    bucket = string
    prefix = optional(string, "s3-access/")
  })
  default = null
}

variable "account_id" {
  description = "The AWS account of production; no other is touched."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^\\d{12}$", var.account_id))
    error_message = "account_id must have 12 digits; given: ${var.account_id}."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics to notify of alarms, at least one."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.alarm_topic_arns) > 0
    error_message = "Production's alarms need a receiver: alarm_topic_arns must name at least one SNS topic."
  }
}

variable "api_logging_enabled" {
  description = "Have the API write logs. False where you may not make the role that this needs (envs/account makes it): AWS refuses an API that logs without it."
  type        = bool
  default     = true
  nullable    = false
}

variable "artifacts" {
  description = "Take the zips from a bucket, to which `make package-publish` copied one build for all environments; build/artifacts.tfvars.json holds the value. Null: from build/."
  type = object({
    bucket = string
    zips = map(object({
      key           = string
      sha256_base64 = string
      version_id    = optional(string)
      runtime       = optional(string)
      architecture  = optional(string)
    }))
  })
  default = null
}

variable "code_signing_config_arn" {
  description = "ARN of the code-signing configuration that the functions' zips must satisfy; needs artifacts. Null: zips need no signature."
  type        = string
  default     = null
}

variable "cors_allowed_origins" {
  description = "Origins whose pages may use the API and upload, such as https://app.example.com. Empty: no page may."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = !contains(var.cors_allowed_origins, "*")
    error_message = "Production names the origins that may use it; \"*\" lets every page of the web."
  }
}

variable "events_enabled" {
  description = "Whether each result is sent as an event to the environment's event bus."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key for the objects, the queues, the logs and the environment variables. Null: keys managed by AWS."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 365
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the policy that limits what each function's role can be allowed to do, whatever is written into its own policy. Null: none."
  type        = string
  default     = null
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-central-1"
  nullable    = false
}

variable "reserved_concurrency" {
  description = "Executions at the same time that are kept for each function and are its limit; -1 reserves nothing. A new account has a quota of 10 and can reserve none."
  type = object({
    api_handler      = optional(number, 200)
    data_transformer = optional(number, 100)
    image_processor  = optional(number, 100)
  })
  default  = {}
  nullable = false
}

variable "vpc" {
  description = "Subnets and security groups that the functions run in; they need a way to S3 and SQS from there. Null: outside of any VPC of yours."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "web_acl_arn" {
  description = "ARN of a regional WAF web ACL in front of the API. Null: none."
  type        = string
  default     = null
}
