variable "access_log_retention_days" {
  description = "Days that the access log and the execution log are kept."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.access_log_retention_days,
    )
    error_message = "access_log_retention_days is ${var.access_log_retention_days}; CloudWatch Logs allows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653."
  }
}

variable "allowed_cidrs" {
  description = "Networks, in CIDR notation, that may call the API; an empty list allows every network."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : can(cidrhost(cidr, 0))])
    error_message = "allowed_cidrs holds ${join(", ", [for cidr in var.allowed_cidrs : cidr if !can(cidrhost(cidr, 0))])}; each entry must be a network in CIDR notation, such as 192.0.2.0/24."
  }
}

variable "authorizers" {
  description = "Authorizers by name, for routes to refer to: a Cognito user pool (user_pool_arns) or a Lambda function (function, with its cache time in seconds and, for a REQUEST authorizer, the parts of the request that identify the caller)."
  type = map(object({
    user_pool_arns = optional(list(string), [])
    function = optional(object({
      name       = string
      invoke_arn = string
      qualifier  = optional(string)
    }))
    identity_sources = optional(list(string), ["method.request.header.Authorization"])
    cache_seconds    = optional(number, 300)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.authorizers) : can(regex("^[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*$", name))])
    error_message = "The authorizer names are ${join(", ", keys(var.authorizers))}; each must be lower-case words joined by underscores, such as user_pool."
  }

  validation {
    condition     = alltrue([for a in values(var.authorizers) : (length(a.user_pool_arns) > 0) != (a.function != null)])
    error_message = "Authorizer ${join(", ", [for k, a in var.authorizers : k if(length(a.user_pool_arns) > 0) == (a.function != null)])} must have exactly one of user_pool_arns and function."
  }

  validation {
    condition     = alltrue([for a in values(var.authorizers) : a.cache_seconds >= 0 && a.cache_seconds <= 3600])
    error_message = "Authorizer ${join(", ", [for k, a in var.authorizers : "${k} (${a.cache_seconds})" if a.cache_seconds < 0 || a.cache_seconds > 3600])} has a cache_seconds outside 0 to 3600."
  }
}

variable "client_certificate_enabled" {
  description = "Make a client certificate that the stage presents to HTTP back ends, so that they can tell this API's calls from others."
  type        = bool
  default     = false
  nullable    = false
}

variable "cors" {
  description = "Browser access: the origins that may call the API (one \"*\" for any), the request headers they may send, the response headers they may read, and the seconds a browser keeps the answer; null answers no preflight. The methods follow from the routes."
  type = object({
    allow_origins   = list(string)
    allow_headers   = optional(list(string), ["Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Security-Token", "X-Api-Key"])
    expose_headers  = optional(list(string), [])
    max_age_seconds = optional(number, 600)
  })
  default = null
}

variable "create_account_logging_role" {
  description = "Create the CloudWatch role of API Gateway for the whole account and region. There is one for all APIs: leave it off where another stack owns it."
  type        = bool
  default     = false
  nullable    = false
}

variable "custom_domain" {
  description = "Custom domain name of the API with its regional ACM certificate, the base path it is served under (empty for the root), and whether the execute-api address stays usable beside it."
  type = object({
    name                      = string
    certificate_arn           = string
    base_path                 = optional(string, "")
    keep_execute_api_endpoint = optional(bool, false)
  })
  default = null
}

variable "data_trace_enabled" {
  description = "Write whole requests and answers to the execution log; it holds whatever clients send, presigned forms among it, so never in production."
  type        = bool
  default     = false
  nullable    = false
}

variable "description" {
  description = "What the API is for, shown in the console."
  type        = string
  default     = ""
  nullable    = false
}

variable "execution_log_level" {
  description = "Level of the execution log: OFF, ERROR or INFO."
  type        = string
  default     = "ERROR"
  nullable    = false

  validation {
    condition     = contains(["OFF", "ERROR", "INFO"], var.execution_log_level)
    error_message = "execution_log_level is ${var.execution_log_level}; it must be OFF, ERROR or INFO."
  }
}

variable "log_kms_key_arn" {
  description = "ARN of the KMS key that encrypts the logs; null uses the key of CloudWatch Logs."
  type        = string
  default     = null
}

variable "metrics_enabled" {
  description = "Publish CloudWatch metrics per method, beside those of the stage."
  type        = bool
  default     = true
  nullable    = false
}

variable "name" {
  description = "Name of the API."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name is \"${var.name}\"; it must have 1 to 64 letters, digits, hyphens and underscores."
  }
}

variable "routes" {
  description = "Routes by name: HTTP method, path (\"/\", nested, with {id} or a last {key+}), the function that answers, the authorization (AWS_IAM, NONE or the name of an authorizer), whether an API key is needed, what a request must have, rate (requests per second) and burst limits of its own, and the seconds the function may take."
  type = map(object({
    method = string
    path   = string
    function = object({
      name       = string
      invoke_arn = string
      qualifier  = optional(string)
    })
    authorization        = optional(string, "AWS_IAM")
    authorization_scopes = optional(list(string), [])
    api_key_required     = optional(bool, false)
    request = optional(object({
      schema              = optional(string)
      required_parameters = optional(list(string), [])
    }), {})
    throttling = optional(object({
      rate_limit  = number
      burst_limit = number
    }))
    timeout_seconds = optional(number, 29)
  }))
  nullable = false

  validation {
    condition     = length(var.routes) > 0
    error_message = "routes is empty; an API needs at least one route."
  }

  validation {
    condition     = alltrue([for name in keys(var.routes) : can(regex("^[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*$", name))])
    error_message = "The route names are ${join(", ", keys(var.routes))}; each must be lower-case words joined by underscores, such as create_file."
  }
}

variable "stage_name" {
  description = "Name of the stage, the first part of the path of every URL."
  type        = string
  default     = "prod"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,128}$", var.stage_name))
    error_message = "stage_name is \"${var.stage_name}\"; it must have 1 to 128 letters, digits, hyphens and underscores."
  }
}

variable "tags" {
  description = "Tags of everything that the module makes, beside the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "throttling_burst_limit" {
  description = "Requests that the stage takes at once, per method, before it answers 429."
  type        = number
  default     = 2000
  nullable    = false
}

variable "throttling_rate_limit" {
  description = "Requests per second that the stage takes steadily, per method, before it answers 429."
  type        = number
  default     = 1000
  nullable    = false
}

variable "tracing_enabled" {
  description = "Trace requests with AWS X-Ray."
  type        = bool
  default     = true
  nullable    = false
}

variable "usage_plans" {
  description = "Usage plans by name: the API keys made for it, rate (requests per second) and burst limits per key, and an optional quota of requests per DAY, WEEK or MONTH."
  type = map(object({
    api_keys    = set(string)
    rate_limit  = number
    burst_limit = number
    quota = optional(object({
      limit  = number
      period = string
    }))
  }))
  default  = {}
  nullable = false
}

variable "web_acl" {
  description = "Regional AWS WAF web ACL in front of the stage; null for none."
  type = object({
    arn = string
  })
  default = null
}
