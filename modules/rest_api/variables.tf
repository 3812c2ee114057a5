variable "access_log_enabled" {
  description = "Log every request. False where the account has no role for API Gateway to write logs with; execution_log_level must then be OFF, too."
  type        = bool
  default     = true
  nullable    = false
}

variable "access_log_retention_days" {
  description = "Days that the access log and the execution log are kept."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.access_log_retention_days)
    error_message = "access_log_retention_days is ${var.access_log_retention_days}; CloudWatch Logs allows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653."
  }
}

variable "alarms" {
  description = "CloudWatch alarms of the API: the SNS topics to notify, or unattended = true for none. They go off when the API answers this share of the requests of five minutes with 5XX, or when one request in a hundred takes this share of the time that its function may take."
  type = object({
    enabled          = optional(bool, true)
    topic_arns       = optional(list(string), [])
    unattended       = optional(bool, false)
    error_share      = optional(number, 0.05)
    share_of_timeout = optional(number, 0.9)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for share in [var.alarms.error_share, var.alarms.share_of_timeout] : share > 0 && share <= 1
    ])
    error_message = "The shares of alarms must be above 0 and at most 1; given: error_share ${var.alarms.error_share}, share_of_timeout ${var.alarms.share_of_timeout}."
  }

  validation {
    condition     = alltrue([for arn in var.alarms.topic_arns : can(regex("^arn:[^:]+:sns:", arn))])
    error_message = "alarms.topic_arns must be ARNs of SNS topics; given: ${jsonencode(var.alarms.topic_arns)}."
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

  validation {
    condition     = alltrue(flatten([for a in values(var.authorizers) : [for arn in a.user_pool_arns : can(regex("^arn:[^:]+:cognito-idp:[^:]+:\\d{12}:userpool/.+$", arn))]]))
    error_message = "authorizers has the user_pool_arns ${join(", ", flatten(values(var.authorizers)[*].user_pool_arns))}; each must be arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID."
  }

  validation {
    condition     = alltrue([for a in values(var.authorizers) : can(regex("^arn:[^:]+:apigateway:[^:]+:lambda:path/.+$", a.function.invoke_arn)) if a.function != null])
    error_message = "authorizers has the invoke_arn ${join(", ", [for a in values(var.authorizers) : a.function.invoke_arn if a.function != null])}; it must be the function's invoke_arn (arn:aws:apigateway:REGION:lambda:path/...), not its arn."
  }
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

  validation {
    condition     = var.cors == null || try(length(var.cors.allow_origins) > 0, false)
    error_message = "cors.allow_origins is empty; name at least one origin, or leave cors null."
  }

  validation {
    condition     = alltrue([for o in try(var.cors.allow_origins, []) : o == "*" || can(regex("^https?://[A-Za-z0-9.-]+(:[0-9]+)?$", o))])
    error_message = "cors.allow_origins holds ${join(", ", try(var.cors.allow_origins, []))}; each must be an origin such as https://app.example.com, without a path, or *."
  }

  validation {
    condition     = !contains(try(var.cors.allow_origins, []), "*") || try(length(var.cors.allow_origins), 0) == 1
    error_message = "cors.allow_origins holds * beside ${join(", ", [for o in try(var.cors.allow_origins, []) : o if o != "*"])}; * stands alone."
  }

  validation {
    condition     = try(var.cors.max_age_seconds, 0) >= 0 && try(var.cors.max_age_seconds, 0) <= 86400
    error_message = "cors.max_age_seconds is ${try(var.cors.max_age_seconds, 0)}; it must be 0 to 86400."
  }
}

variable "custom_domain" {
  description = "Custom domain name of the API with its regional ACM certificate, and the base path it is served under (empty for the root). The execute-api address is then closed."
  type = object({
    name            = string
    certificate_arn = string
    base_path       = optional(string, "")
  })
  default = null

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,}$", try(var.custom_domain.name, "a.bc")))
    error_message = "custom_domain.name is ${try(var.custom_domain.name, "null")}; it must be a host name in lower case, such as api.example.com."
  }

  validation {
    condition     = can(regex("^arn:[^:]+:acm:[^:]+:\\d{12}:certificate/.+$", try(var.custom_domain.certificate_arn, "arn:aws:acm:x:000000000000:certificate/x")))
    error_message = "custom_domain.certificate_arn is ${try(var.custom_domain.certificate_arn, "null")}; it must be arn:aws:acm:REGION:ACCOUNT:certificate/ID, in the API's region."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9._~-]*$", try(var.custom_domain.base_path, "")))
    error_message = "custom_domain.base_path is ${try(var.custom_domain.base_path, "null")}; it must be one part of a path, without slashes, or empty."
  }
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

  validation {
    condition     = var.log_kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:\\d{12}:key/.+$", var.log_kms_key_arn))
    error_message = "log_kms_key_arn is ${coalesce(var.log_kms_key_arn, "null")}; it must be the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias or an id."
  }
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
  description = "Routes by name: HTTP method, path (\"/\", nested, with {id} or a last {key+}), the function that answers, the authorization (AWS_IAM, NONE or the name of an authorizer), the JSON schema of its body, and the seconds the function may take."
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
    schema               = optional(string)
    timeout_seconds      = optional(number, 29)
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

  validation {
    condition     = alltrue([for r in values(var.routes) : contains(["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"], r.method)])
    error_message = "The methods are ${join(", ", distinct(values(var.routes)[*].method))}; each must be ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST or PUT."
  }

  validation {
    condition     = var.cors == null || alltrue([for r in values(var.routes) : r.method != "OPTIONS"])
    error_message = "A route has the method OPTIONS, which the module answers itself when cors is set."
  }

  validation {
    condition     = alltrue([for r in values(var.routes) : can(regex("^(/|(/([A-Za-z0-9._~:-]+|{[A-Za-z0-9._-]+}))*/([A-Za-z0-9._~:-]+|{[A-Za-z0-9._-]+\\+?}))$", r.path))])
    error_message = "Path ${join(", ", [for r in values(var.routes) : r.path if !can(regex("^(/|(/([A-Za-z0-9._~:-]+|{[A-Za-z0-9._-]+}))*/([A-Za-z0-9._~:-]+|{[A-Za-z0-9._-]+\\+?}))$", r.path))])} must start with a slash, must not end with one, and may hold words, {parameters}, and {key+} as its last part."
  }

  validation {
    condition     = alltrue([for r in values(var.routes) : length(split("/", trim(r.path, "/"))) <= 4])
    error_message = "Path ${join(", ", [for r in values(var.routes) : r.path if length(split("/", trim(r.path, "/"))) > 4])} has more than 4 parts, the most that this module makes."
  }

  validation {
    condition     = length(distinct([for r in values(var.routes) : "${r.method} ${r.path}"])) == length(var.routes)
    error_message = "Two routes have the same method and path; the routes are ${join(", ", sort([for r in values(var.routes) : "${r.method} ${r.path}"]))}."
  }

  validation {
    condition     = alltrue([for a in values(var.routes) : alltrue([for b in values(var.routes) : length(regexall("[{]", a.path)) == 0 || replace(a.path, "/{[^}+]+}/", "{}") != replace(b.path, "/{[^}+]+}/", "{}") || a.path == b.path])])
    error_message = "Two paths differ only in the name of a parameter, which API Gateway refuses; the paths are ${join(", ", distinct(sort(values(var.routes)[*].path)))}."
  }

  validation {
    condition     = alltrue([for r in values(var.routes) : contains(concat(["NONE", "AWS_IAM"], keys(var.authorizers)), r.authorization)])
    error_message = "A route has the authorization ${join(", ", [for r in values(var.routes) : r.authorization if !contains(concat(["NONE", "AWS_IAM"], keys(var.authorizers)), r.authorization)])}; it must be ${join(", ", concat(["NONE", "AWS_IAM"], keys(var.authorizers)))}."
  }

  validation {
    condition     = alltrue([for r in values(var.routes) : r.timeout_seconds >= 0.05 && r.timeout_seconds <= 29])
    error_message = "Route ${join(", ", [for name, r in var.routes : "${name} (${r.timeout_seconds} s)" if r.timeout_seconds < 0.05 || r.timeout_seconds > 29])} has a timeout_seconds outside 0.05 to 29, what API Gateway waits for."
  }

  validation {
    condition     = alltrue([for r in values(var.routes) : r.schema == null || can(jsondecode(r.schema))])
    error_message = "Route ${join(", ", [for name, r in var.routes : name if r.schema != null && !can(jsondecode(r.schema))])} has a schema that is not JSON; give jsonencode({ … })."
  }

  validation {
    condition     = alltrue([for r in values(var.routes) : can(regex("^arn:[^:]+:apigateway:[^:]+:lambda:path/.+$", r.function.invoke_arn))])
    error_message = "routes has the invoke_arn ${join(", ", distinct([for r in values(var.routes) : r.function.invoke_arn if !can(regex("^arn:[^:]+:apigateway:[^:]+:lambda:path/.+$", r.function.invoke_arn))]))}; it must be the function's invoke_arn (arn:aws:apigateway:REGION:lambda:path/...), not its arn."
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

  validation {
    condition     = var.throttling_burst_limit >= 0 && var.throttling_burst_limit == floor(var.throttling_burst_limit)
    error_message = "throttling_burst_limit is ${var.throttling_burst_limit}; it must be a whole number from 0."
  }
}

variable "throttling_rate_limit" {
  description = "Requests per second that the stage takes steadily, per method, before it answers 429."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.throttling_rate_limit >= 0
    error_message = "throttling_rate_limit is ${var.throttling_rate_limit}; it must be 0 or more."
  }
}

variable "tracing_enabled" {
  description = "Trace requests with AWS X-Ray."
  type        = bool
  default     = true
  nullable    = false
}

variable "web_acl" {
  description = "Regional AWS WAF web ACL in front of the stage; null for none."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = can(regex("^arn:[^:]+:wafv2:[^:]+:\\d{12}:regional/webacl/.+$", try(var.web_acl.arn, "arn:aws:wafv2:x:000000000000:regional/webacl/x")))
    error_message = "web_acl.arn is ${try(var.web_acl.arn, "null")}; it must be arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/NAME/ID (a web ACL for CloudFront is global and does not fit)."
  }
}
