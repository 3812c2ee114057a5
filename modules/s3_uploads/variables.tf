variable "access_log" {
  description = "Bucket that receives the server access logs, and the prefix of their keys. The bucket must be in the same region and let logging.s3.amazonaws.com write. Null: no access logs."
  type = object({
    bucket = string
    prefix = optional(string, "s3-access/")
  })
  default = null

  validation {
    condition     = var.access_log == null || try(var.access_log.bucket, "") != var.name
    error_message = "access_log.bucket must be another bucket than ${var.name}: a log about the log would never end."
  }
}

variable "cors_allowed_origins" {
  description = "Origins whose pages may upload to and download from the bucket, such as https://app.example.com, or \"*\" for any. Empty: no page may."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for o in var.cors_allowed_origins : o == "*" || can(regex("^https?://[^/*\\s]+$", o))])
    error_message = "An origin is \"*\", or scheme and host without a path, such as https://app.example.com; given: ${jsonencode(var.cors_allowed_origins)}."
  }
}

variable "eventbridge_enabled" {
  description = "Send every event of the bucket to EventBridge too."
  type        = bool
  default     = false
  nullable    = false
}

variable "force_destroy" {
  description = "Delete all objects, every version of them, when the bucket is destroyed. When false, a bucket that holds anything cannot be destroyed."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the objects. Null: keys managed by S3."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias or an id; given: ${coalesce(var.kms_key_arn, "null")}."
  }
}

variable "lifecycle_rules" {
  description = "What happens to current objects with age, by prefix: days until a cheaper storage class, days until they expire. A map from the prefix, such as \"uploads/\"."
  type = map(object({
    expiration_days = optional(number)
    transition_days = optional(number)
    storage_class   = optional(string, "STANDARD_IA")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for r in values(var.lifecycle_rules) : r.expiration_days != null || r.transition_days != null])
    error_message = "Each of lifecycle_rules needs expiration_days or transition_days; given: ${jsonencode(var.lifecycle_rules)}."
  }

  validation {
    condition     = alltrue([for r in values(var.lifecycle_rules) : try(r.transition_days < r.expiration_days, true)])
    error_message = "In lifecycle_rules a transition must come before the expiry; given: ${jsonencode(var.lifecycle_rules)}."
  }

  validation {
    condition = alltrue([
      for r in values(var.lifecycle_rules) : try(r.transition_days >= 30, true) if endswith(r.storage_class, "_IA")
    ])
    error_message = "S3 moves objects to an infrequent-access class after 30 days at the earliest; given: ${jsonencode(var.lifecycle_rules)}."
  }
}

variable "name" {
  description = "Name of the bucket, unique in the world."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "A bucket name has 3 to 63 lower-case letters, digits and hyphens, and no dot (a dot breaks TLS); given: ${var.name}."
  }
}

variable "noncurrent_version_expiration_days" {
  description = "Days after which a version that was overwritten or deleted is gone for good."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.noncurrent_version_expiration_days >= 1
    error_message = "noncurrent_version_expiration_days must be 1 or more; given: ${var.noncurrent_version_expiration_days}."
  }
}

variable "notifications" {
  description = "Functions to start when objects appear: a map from a name to the function's ARN, prefixes, suffixes (null: any) and events. Suffixes match in lower case, in capitals and with a capital (.jpg, .JPG, .Jpg). The function must already allow s3.amazonaws.com to invoke it."
  type = map(object({
    function_arn = string
    prefixes     = list(string)
    suffixes     = optional(list(string))
    events       = optional(list(string), ["s3:ObjectCreated:*"])
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for n in values(var.notifications) :
      length(n.prefixes) > 0 && length(n.events) > 0 && (n.suffixes == null || try(length(n.suffixes) > 0, true))
    ])
    error_message = "Each of notifications needs at least one prefix, one event and, where suffixes are given, one suffix; given: ${jsonencode({ for k, n in var.notifications : k => { prefixes = n.prefixes, suffixes = n.suffixes, events = n.events } })}."
  }

  validation {
    condition     = alltrue(flatten([for n in values(var.notifications) : [for s in coalesce(n.suffixes, []) : can(regex("^\\.[^/]+$", s))]]))
    error_message = "A suffix starts with a dot, such as .jpg (\"jpg\" would match \"notjpg\" too); given: ${jsonencode({ for k, n in var.notifications : k => n.suffixes })}."
  }

  validation {
    condition     = alltrue(flatten([for n in values(var.notifications) : [for e in n.events : startswith(e, "s3:")]]))
    error_message = "An event is named as S3 does, such as s3:ObjectCreated:*; given: ${jsonencode({ for k, n in var.notifications : k => n.events })}."
  }

  validation {
    condition = alltrue(flatten([
      for n in values(var.notifications) : [
        for p in n.prefixes : [for o in var.output_prefixes : !startswith(o, p) && !startswith(p, o)]
      ]
    ]))
    error_message = "A notification must not see what functions write, or they start themselves without end: no prefix may contain or lie in one of output_prefixes ${jsonencode(var.output_prefixes)}; given: ${jsonencode({ for k, n in var.notifications : k => n.prefixes })}."
  }

  validation {
    condition     = alltrue([for n in values(var.notifications) : can(regex("^arn:[^:]+:lambda:[^:]+:\\d{12}:function:.+$", n.function_arn))])
    error_message = "function_arn of notifications must be the ARN of a function, a version or an alias; given: ${jsonencode({ for k, n in var.notifications : k => n.function_arn })}."
  }
}

variable "output_prefixes" {
  description = "Prefixes that functions started by this bucket write to. No notification may see them."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "tags" {
  description = "Tags of the bucket."
  type        = map(string)
  default     = {}
  nullable    = false
}
