variable "alarms" {
  description = "CloudWatch alarms on the function and its queue: the SNS topics to notify, or unattended = true for none. Errors and throttles are counted over five minutes; duration and concurrency alarm at the given share of the timeout and of the reserve."
  type = object({
    enabled             = optional(bool, true)
    topic_arns          = optional(list(string), [])
    unattended          = optional(bool, false)
    share_of_timeout    = optional(number, 0.9)
    share_of_concurrent = optional(number, 0.9)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for share in [var.alarms.share_of_timeout, var.alarms.share_of_concurrent] : share > 0 && share <= 1
    ])
    error_message = "The shares of alarms must be above 0 and at most 1; given: share_of_timeout ${var.alarms.share_of_timeout}, share_of_concurrent ${var.alarms.share_of_concurrent}."
  }

  validation {
    condition     = alltrue([for arn in var.alarms.topic_arns : can(regex("^arn:[^:]+:sns:", arn))])
    error_message = "alarms.topic_arns must be ARNs of SNS topics; given: ${jsonencode(var.alarms.topic_arns)}."
  }
}

variable "alias_name" {
  description = "Publish a version at every change and let this alias point to it. Null: no versions, triggers run what was deployed last."
  type        = string
  default     = null

  validation {
    condition     = var.alias_name == null || can(regex("^[A-Za-z_-][A-Za-z0-9_-]{0,127}$", var.alias_name))
    error_message = "alias_name must have 1 to 128 letters, digits, hyphens and underscores, and no leading digit; given: ${coalesce(var.alias_name, "null")}."
  }
}

variable "asynchronous" {
  description = "Asynchronous invocations: how often a failed one is tried again (0 to 2), and the age in seconds after which an event is given up (60 to 21600)."
  type = object({
    retries                   = optional(number, 2)
    maximum_event_age_seconds = optional(number, 21600)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([0, 1, 2], var.asynchronous.retries)
    error_message = "asynchronous.retries must be 0, 1 or 2; given: ${var.asynchronous.retries}."
  }

  validation {
    condition     = var.asynchronous.maximum_event_age_seconds >= 60 && var.asynchronous.maximum_event_age_seconds <= 21600
    error_message = "asynchronous.maximum_event_age_seconds must be 60 to 21600 (6 hours); given: ${var.asynchronous.maximum_event_age_seconds}."
  }
}

variable "code" {
  description = "The function's zip, either a local path or an object in S3 with its hash (SHA-256, base64), with the handler in it, what the function is configured for, and an optional code-signing configuration. What the zip was built for must agree with it: of a local zip as the file beside it with its name and .json says, which `make package` writes, of one in S3 as runtime and architecture of s3 say."
  type = object({
    handler            = string
    path               = optional(string)
    runtime            = optional(string, "python3.12")
    architecture       = optional(string, "x86_64")
    signing_config_arn = optional(string)
    s3 = optional(object({
      bucket        = string
      key           = string
      sha256_base64 = string
      version_id    = optional(string)
      runtime       = optional(string)
      architecture  = optional(string)
    }))
  })
  nullable = false

  validation {
    condition     = (var.code.path == null) != (var.code.s3 == null)
    error_message = "code needs exactly one of path and s3."
  }

  validation {
    condition     = contains(["x86_64", "arm64"], var.code.architecture)
    error_message = "code.architecture must be x86_64 or arm64; given: ${var.code.architecture}."
  }

  validation {
    condition     = var.code.path == null || try(fileexists(var.code.path), false)
    error_message = "There is no zip at ${coalesce(var.code.path, "(none)")}: build it with `make package`."
  }

  # What a zip was built for, of a local one, is in the file that `make package` wrote beside it.
  validation {
    condition = alltrue([
      for built in [try(jsondecode(file(replace(var.code.path, "/\\.zip$/", ".json"))), var.code.s3)] :
      alltrue([for what in ["architecture", "handler", "runtime"] : try(coalesce(built[what]), var.code[what]) == var.code[what]])
    ])
    error_message = "${coalesce(var.code.path, try("s3://${var.code.s3.bucket}/${var.code.s3.key}", "The zip"))} was built for ${join(", ", flatten([
      for built in [try(jsondecode(file(replace(var.code.path, "/\\.zip$/", ".json"))), var.code.s3)] :
      [for what in ["architecture", "handler", "runtime"] : "${what} ${built[what]}, not ${var.code[what]}" if try(coalesce(built[what]), var.code[what]) != var.code[what]]
    ]))}: change code, or build a zip that fits with `make package`."
  }

  validation {
    condition     = try(jsondecode(file(replace(var.code.path, "/\\.zip$/", ".json"))).sha256_base64 == filebase64sha256(var.code.path), true)
    error_message = "${coalesce(var.code.path, "(none)")} is not the zip that the file beside it describes: build it again with `make package`."
  }

  validation {
    condition     = var.code.s3 == null || can(regex("^[A-Za-z0-9+/]{43}=$", var.code.s3.sha256_base64))
    error_message = "code.s3.sha256_base64 must be a SHA-256 in base64, 44 characters (not in hexadecimal), or every apply updates the function; given: ${try(var.code.s3.sha256_base64, "null")}."
  }

  validation {
    condition     = var.code.signing_config_arn == null || can(regex("^arn:[^:]+:lambda:[^:]+:\\d{12}:code-signing-config:.+$", var.code.signing_config_arn))
    error_message = "code.signing_config_arn must be arn:aws:lambda:REGION:ACCOUNT:code-signing-config:ID; given: ${coalesce(var.code.signing_config_arn, "null")}."
  }
}

variable "dead_letter_queue" {
  description = "The queue that takes the events whose tries all failed: days that they are kept (1 to 14)."
  type = object({
    retention_days = optional(number, 14)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.dead_letter_queue.retention_days >= 1 && var.dead_letter_queue.retention_days <= 14
    error_message = "dead_letter_queue.retention_days must be 1 to 14; given: ${var.dead_letter_queue.retention_days}."
  }
}

variable "description" {
  description = "What the function does, shown in the console."
  type        = string
  default     = ""
  nullable    = false
}

variable "environment" {
  description = "Environment variables of the function."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", name))])
    error_message = "The name of an environment variable starts with a letter and has letters, digits and underscores; given: ${join(", ", keys(var.environment))}."
  }

  validation {
    condition     = length(join("", concat(keys(var.environment), values(var.environment)))) <= 4000
    error_message = "The environment variables have ${length(join("", concat(keys(var.environment), values(var.environment))))} characters; Lambda takes 4 KB of them."
  }

  validation {
    condition = alltrue([
      for name in keys(var.environment) :
      !can(regex("^(AWS_(ACCESS_KEY(_ID)?|DEFAULT_REGION|EXECUTION_ENV|LAMBDA_(FUNCTION|INITIALIZATION|LOG|RUNTIME)_.+|REGION|SECRET_ACCESS_KEY|SESSION_TOKEN)|LAMBDA_(RUNTIME_DIR|TASK_ROOT))$", name))
    ])
    error_message = "Lambda sets some environment variables itself (AWS_REGION, AWS_LAMBDA_FUNCTION_NAME, LAMBDA_TASK_ROOT, ...) and refuses them; given: ${join(", ", keys(var.environment))}."
  }
}

variable "ephemeral_storage_mb" {
  description = "Size of /tmp in MB (512 to 10240)."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.ephemeral_storage_mb >= 512 && var.ephemeral_storage_mb <= 10240
    error_message = "ephemeral_storage_mb must be 512 to 10240; given: ${var.ephemeral_storage_mb}."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the environment variables, the log and the dead-letter queue; its policy must let CloudWatch Logs of the region use it. Null: keys managed by AWS."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:\\d{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias or an id; given: ${coalesce(var.kms_key_arn, "null")}."
  }
}

variable "logging" {
  description = "The function's log: days that it is kept, and the lowest level of the function's own lines (TRACE, DEBUG, INFO, WARN, ERROR, FATAL)."
  type = object({
    retention_days    = optional(number, 7)
    application_level = optional(string, "INFO")
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logging.retention_days)
    error_message = "logging.retention_days must be one that CloudWatch Logs offers (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653); given: ${var.logging.retention_days}."
  }

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"], var.logging.application_level)
    error_message = "logging.application_level must be TRACE, DEBUG, INFO, WARN, ERROR or FATAL; given: ${var.logging.application_level}."
  }
}

variable "memory_mb" {
  description = "Memory in MB (128 to 10240); processor time grows with it, 1769 MB is one virtual CPU."
  type        = number
  default     = 128
  nullable    = false

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "memory_mb must be 128 to 10240; given: ${var.memory_mb}."
  }
}

variable "name" {
  description = "Name of the function; the queue, the log group, the role and the alarms are named after it."
  type        = string
  nullable    = false

  validation {
    # The role's name has the region behind it, and 64 characters at the most.
    condition     = can(regex("^[A-Za-z0-9_-]{1,48}$", var.name))
    error_message = "name must have 1 to 48 letters, digits, hyphens and underscores; given: ${var.name}."
  }
}

variable "permissions" {
  description = "Services that may invoke the function: a map from a name to the principal, the ARN of what invokes, and the account that owns it."
  type = map(object({
    principal      = string
    source_arn     = string
    source_account = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for p in values(var.permissions) : can(regex("^\\d{12}$", p.source_account))])
    error_message = "source_account of permissions must be an account id of 12 digits; given: ${jsonencode({ for k, p in var.permissions : k => p.source_account })}."
  }

  validation {
    condition     = alltrue([for p in values(var.permissions) : can(regex("^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+$", p.source_arn))])
    error_message = "source_arn of permissions must be the ARN of what invokes; given: ${jsonencode({ for k, p in var.permissions : k => p.source_arn })}."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the policy that limits what the function's role can be allowed to do, whatever is written into its own policy. Null: none."
  type        = string
  default     = null
}

variable "provisioned_concurrency" {
  description = "Executions of the alias that are kept started, and paid for by the hour, so that none waits for a cold start. 0 keeps none."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.provisioned_concurrency >= 0 && var.provisioned_concurrency == floor(var.provisioned_concurrency)
    error_message = "provisioned_concurrency must be a whole number, 0 or more; given: ${var.provisioned_concurrency}."
  }

  validation {
    condition     = var.provisioned_concurrency <= 0 || var.alias_name != null
    error_message = "provisioned_concurrency needs alias_name: Lambda keeps executions of published versions alone."
  }

  validation {
    condition     = var.reserved_concurrency < 0 || var.provisioned_concurrency <= var.reserved_concurrency
    error_message = "provisioned_concurrency is ${var.provisioned_concurrency}, more than reserved_concurrency, ${var.reserved_concurrency}: raise the one or lower the other."
  }
}

variable "reserved_concurrency" {
  description = "Executions at the same time that are kept for this function and are its limit. 0 stops it, -1 reserves nothing and sets no limit."
  type        = number
  default     = -1
  nullable    = false

  validation {
    condition     = var.reserved_concurrency >= -1
    error_message = "reserved_concurrency must be -1 or more; given: ${var.reserved_concurrency}."
  }
}

variable "snap_start" {
  description = "Start the alias's version from a snapshot of the started function (SnapStart), which AWS bills for Python and .NET. What the function makes while it starts is then the same in every execution."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.snap_start || var.alias_name != null
    error_message = "snap_start needs alias_name: Lambda makes snapshots of published versions alone."
  }

  validation {
    condition     = !var.snap_start || var.provisioned_concurrency == 0
    error_message = "snap_start excludes provisioned_concurrency, which is ${var.provisioned_concurrency}: take one of the two."
  }

  validation {
    condition     = !var.snap_start || var.ephemeral_storage_mb <= 512
    error_message = "snap_start needs ephemeral_storage_mb = 512, since Lambda makes no snapshot of more; given: ${var.ephemeral_storage_mb}."
  }

  validation {
    condition     = !var.snap_start || !can(regex("^(nodejs|ruby|provided|go|java8|dotnet6|python3[.]([0-9]|1[01])$)", var.code.runtime))
    error_message = "snap_start needs a runtime that has it (Python 3.12, Java 11, .NET 8 or later); given: ${var.code.runtime}."
  }
}

variable "statements" {
  description = "What the function may do beyond its log, its queue, tracing and its network: a map from the statement's Sid to actions, resources and, as in a policy document, conditions (operator, key, values)."
  type = map(object({
    actions    = list(string)
    resources  = list(string)
    conditions = optional(map(map(list(string))), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue(flatten([for s in values(var.statements) : [for a in s.actions : !strcontains(a, "*")]]))
    error_message = "Name the actions of statements one by one, without \"*\"; given: ${jsonencode({ for k, s in var.statements : k => s.actions })}."
  }

  validation {
    condition     = alltrue([for sid in keys(var.statements) : can(regex("^[A-Za-z0-9]+$", sid))])
    error_message = "A key of statements becomes a Sid, which has letters and digits only; given: ${join(", ", keys(var.statements))}."
  }
}

variable "tags" {
  description = "Tags of everything that the module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "timeout_seconds" {
  description = "Seconds that one execution may take (1 to 900)."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "timeout_seconds must be 1 to 900; given: ${var.timeout_seconds}."
  }
}

variable "tracing_enabled" {
  description = "Trace executions with X-Ray."
  type        = bool
  default     = false
  nullable    = false
}

variable "vpc" {
  description = "Subnets and security groups that the function runs in. Null: outside of any VPC of yours."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null

  validation {
    condition     = var.vpc == null || try(length(var.vpc.subnet_ids) > 0 && length(var.vpc.security_group_ids) > 0, false)
    error_message = "vpc needs at least one subnet and one security group; given: ${jsonencode(var.vpc)}."
  }
}
