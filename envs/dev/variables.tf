variable "api_logging_enabled" {
  description = "Have the API write logs. False where you may not make the role that this needs (envs/account makes it): AWS refuses an API that logs without it."
  type        = bool
  default     = true
  nullable    = false
}

variable "architecture" {
  description = "Processor architecture of the functions: x86_64 or arm64."
  type        = string
  default     = "x86_64"
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

variable "events_enabled" {
  description = "Whether each result is sent as an event to the environment's event bus."
  type        = bool
  default     = false
}

variable "execution_log_level" {
  description = "Execution log of the API: OFF, ERROR or INFO. Other than OFF, the account needs the CloudWatch role of API Gateway."
  type        = string
  default     = "OFF"
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

variable "suffix" {
  description = "Name of the environment, in every name: one for each developer or pull request."
  type        = string
  default     = "dev"
  nullable    = false
}
