variable "access_log" {
  description = "Bucket that receives the upload bucket's server access logs, and the prefix of their keys. Null: no access logs."
  type = object({
    bucket = string
    prefix = optional(string, "s3-access/")
  })
  default = null
}

variable "alarms" {
  description = "CloudWatch alarms of the API and of every function: the SNS topics to notify, or unattended = true for none."
  type = object({
    enabled    = optional(bool, true)
    topic_arns = optional(list(string), [])
    unattended = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "api" {
  description = "The API: who may call it (NONE, AWS_IAM, or the name of one of authorizers), whether files may be deleted, processed again, or uploaded in parts through it, whether a file that is sent with its SHA-256 is answered with the one that has the same content and was processed, the tags that clients may set on their files (tag_names), requests per second and at once, whether it logs (AWS refuses that while the account has no role for it, which envs/account makes), and what modules/rest_api offers besides. With owners, callers see only their own files: claim names the claim that identifies them, admins lists by claim the values of callers who see all files, max_files and max_bytes are the quota of each owner; see docs/security.md."
  type = object({
    authorization         = optional(string, "NONE")
    deletion_enabled      = optional(bool, false)
    reprocessing_enabled  = optional(bool, false)
    multipart_enabled     = optional(bool, false)
    deduplication_enabled = optional(bool, false)
    tag_names             = optional(list(string), [])
    authorizers = optional(map(object({
      user_pool_arns = optional(list(string), [])
      function = optional(object({
        name       = string
        invoke_arn = string
        qualifier  = optional(string)
      }))
    })), {})
    owners = optional(object({
      claim     = string
      admins    = optional(map(list(string)), {})
      max_files = optional(number)
      max_bytes = optional(number)
    }))
    allowed_cidrs       = optional(list(string), [])
    rate_limit          = optional(number, 1000)
    burst_limit         = optional(number, 2000)
    logging_enabled     = optional(bool, true)
    execution_log_level = optional(string, "ERROR")
    metrics_enabled     = optional(bool, true)
    web_acl             = optional(object({ arn = string }))
    custom_domain = optional(object({
      name            = string
      certificate_arn = string
      base_path       = optional(string, "")
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.api.owners == null || var.api.authorization != "NONE"
    error_message = "api.owners needs to know who calls: set api.authorization to AWS_IAM, or to the name of one of api.authorizers."
  }

  # What API Gateway knows of a signer, and what of a token, are different things.
  validation {
    condition = var.api.owners == null || alltrue([
      for claim in concat([try(var.api.owners.claim, "")], keys(try(var.api.owners.admins, {}))) :
      claim != "" && contains(local._signer, claim) == (var.api.authorization == "AWS_IAM")
    ])
    error_message = "api.owners has claim ${jsonencode(try(var.api.owners.claim, ""))} and admins by ${jsonencode(keys(try(var.api.owners.admins, {})))}: with AWS_IAM each must be one of ${join(", ", local._signer)}, with an authorizer a claim of its tokens, such as sub."
  }

  validation {
    condition     = alltrue([for values in values(try(var.api.owners.admins, {})) : alltrue([for v in values : !contains(["", "*"], v)])])
    error_message = "api.owners.admins must name values, or their beginning with * behind it; not an empty one, nor * alone: ${jsonencode(try(var.api.owners.admins, {}))}."
  }

  # The API joins the names with commas.
  validation {
    condition     = length(var.api.tag_names) <= 10 && alltrue([for name in var.api.tag_names : can(regex("^[\\w .:/=+@-]{1,128}$", name)) && !startswith(lower(name), "aws:")])
    error_message = "api.tag_names can have up to 10 names of up to 128 letters, digits, spaces and _ . : / = + - @, without aws: at the beginning; given: ${jsonencode(var.api.tag_names)}."
  }

  # Files are counted by listing them, a thousand in a request.
  validation {
    condition     = try(var.api.owners.max_files, null) == null ? try(var.api.owners.max_bytes, null) == null : var.api.owners.max_files >= 1 && var.api.owners.max_files <= 10000 && coalesce(var.api.owners.max_bytes, 1) >= 1
    error_message = "api.owners.max_files must be 1 to 10000, and max_bytes at least 1, only with max_files; given: ${jsonencode(var.api.owners)}."
  }
}

variable "api_handler" {
  description = "Size and settings of the function behind the API; environment adds to its environment variables."
  type = object({
    memory_mb               = optional(number, 128)
    timeout_seconds         = optional(number, 30)
    reserved_concurrency    = optional(number, -1)
    provisioned_concurrency = optional(number, 0)
    snap_start              = optional(bool, false)
    environment             = optional(map(string), {})
  })
  default  = {}
  nullable = false
}

variable "architecture" {
  description = "Processor architecture of the functions: x86_64 or arm64."
  type        = string
  default     = "x86_64"
  nullable    = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be x86_64 or arm64; given: ${var.architecture}."
  }
}

variable "artifacts" {
  description = "Take the zips from a bucket in the functions' region, to which `make package-publish` copied one build for all environments: the bucket, and by <function>-<architecture> the key, the SHA-256 in base64, and what the zip was built for. build/artifacts.tfvars.json holds the value. Null: from package_dir."
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

  validation {
    condition = var.artifacts == null || alltrue([
      for f in local._shipped : can(var.artifacts.zips["${f}-${var.architecture}"])
    ])
    error_message = "artifacts.zips needs ${join(", ", [for f in local._shipped : "${f}-${var.architecture}"])}; given: ${join(", ", try(keys(var.artifacts.zips), []))}. Publish a build for ${var.architecture}."
  }
}

variable "bucket_name" {
  description = "Name of the bucket. Null: serverless-uploads-<suffix>-<account id>."
  type        = string
  default     = null
}

variable "code_signing_config_arn" {
  description = "ARN of the code-signing configuration that the functions' zips must satisfy; needs artifacts, since Lambda takes signed zips from S3 alone. Null: zips need no signature."
  type        = string
  default     = null

  validation {
    condition     = var.code_signing_config_arn == null || var.artifacts != null
    error_message = "code_signing_config_arn needs artifacts: a zip is signed in S3, not in package_dir."
  }
}

variable "cors_allowed_origins" {
  description = "Origins whose pages may use the API and upload, such as https://app.example.com, or \"*\" for any. Empty: no page may."
  type        = list(string)
  default     = ["*"]
  nullable    = false
}

variable "data_transformer" {
  description = "Size and settings of the function that transforms tables; environment adds to its environment variables."
  type = object({
    memory_mb               = optional(number, 256)
    timeout_seconds         = optional(number, 180)
    ephemeral_storage_mb    = optional(number, 1024)
    reserved_concurrency    = optional(number, -1)
    provisioned_concurrency = optional(number, 0)
    snap_start              = optional(bool, false)
    environment             = optional(map(string), {})
    # settings of data_transformer: made by `make docs` from functions/data_transformer/settings.py
    output_formats          = optional(list(string), ["parquet"]) # Files that are made of a table.
    max_rejected_rows_share = optional(number, 0.1)               # Share of rejected rows above which the file is rejected; a column has the type of all but this share of its values.
    max_rejected_rows       = optional(number, 100000)            # Number of rejected rows above which the file is rejected, for any share.
    memory_limit_mb         = optional(number, 100)               # MB of memory_mb that DuckDB may use; raise it with that.
    column_names            = optional(string, "snake_case")      # Names of the columns: words in lower case, joined by _, or those of the file.
    table_options           = optional(string, "")                # How tables are read where the upload does not say it, as JSON, see below.
    max_decompressed_mb     = optional(number, 2048)              # MiB that a compressed file may hold.
    # end of settings of data_transformer
  })
  default  = {}
  nullable = false

  # validations of data_transformer: made by `make docs`
  validation {
    condition     = length(var.data_transformer.output_formats) > 0 && alltrue([for v in var.data_transformer.output_formats : contains(["parquet", "jsonl", "csv", "xlsx"], v)])
    error_message = "data_transformer.output_formats must be some of parquet, jsonl, csv, xlsx; given: ${jsonencode(var.data_transformer.output_formats)}."
  }
  validation {
    condition     = var.data_transformer.max_rejected_rows_share >= 0 && var.data_transformer.max_rejected_rows_share <= 1
    error_message = "data_transformer.max_rejected_rows_share must be a number from 0 to 1; given: ${var.data_transformer.max_rejected_rows_share}."
  }
  validation {
    condition     = var.data_transformer.max_rejected_rows == floor(var.data_transformer.max_rejected_rows) && var.data_transformer.max_rejected_rows >= 0 && var.data_transformer.max_rejected_rows <= 1000000
    error_message = "data_transformer.max_rejected_rows must be a whole number from 0 to 1000000; given: ${var.data_transformer.max_rejected_rows}."
  }
  validation {
    condition     = var.data_transformer.memory_limit_mb == floor(var.data_transformer.memory_limit_mb) && var.data_transformer.memory_limit_mb >= 50 && var.data_transformer.memory_limit_mb <= 10240
    error_message = "data_transformer.memory_limit_mb must be a whole number from 50 to 10240; given: ${var.data_transformer.memory_limit_mb}."
  }
  validation {
    condition     = contains(["snake_case", "original"], var.data_transformer.column_names)
    error_message = "data_transformer.column_names must be one of snake_case, original; given: ${var.data_transformer.column_names}."
  }
  validation {
    condition     = try(length(setsubtract(keys(jsondecode(var.data_transformer.table_options)), ["delimiter", "decimal", "encoding", "header", "skip", "null_values", "rows", "columns"])) == 0, var.data_transformer.table_options == "")
    error_message = "data_transformer.table_options must be a JSON object of some of delimiter, decimal, encoding, header, skip, null_values, rows, columns; given: ${var.data_transformer.table_options}."
  }
  validation {
    condition     = var.data_transformer.max_decompressed_mb == floor(var.data_transformer.max_decompressed_mb) && var.data_transformer.max_decompressed_mb >= 1 && var.data_transformer.max_decompressed_mb <= 100000
    error_message = "data_transformer.max_decompressed_mb must be a whole number from 1 to 100000; given: ${var.data_transformer.max_decompressed_mb}."
  }
  # end of validations of data_transformer
}

variable "force_destroy" {
  description = "Delete all objects when the bucket is destroyed. When false, a bucket that holds anything cannot be destroyed."
  type        = bool
  default     = false
  nullable    = false
}

variable "events_enabled" {
  description = "Whether each result is sent as an event to an event bus of the stack, to which rules can be added."
  type        = bool
  default     = false
  nullable    = false
}

variable "event_targets" {
  description = "Receivers of the events, by name, each with its own dead-letter queue and alarm: a webhook (url, and connection_arn of the EventBridge connection that holds its credentials), an SQS queue (queue_arn) or an SNS topic (topic_arn). states and kinds (endings of file names; null: all) select the events. See docs/events.md."
  type = map(object({
    url                 = optional(string)
    connection_arn      = optional(string)
    requests_per_second = optional(number, 10)
    queue_arn           = optional(string)
    topic_arn           = optional(string)
    states              = optional(list(string), ["succeeded", "rejected"])
    kinds               = optional(list(string))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(var.event_targets) == 0 || var.events_enabled
    error_message = "event_targets receive events only with events_enabled = true."
  }

  validation {
    condition     = alltrue([for name in keys(var.event_targets) : can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", name)) && !contains(keys(local._services), name)])
    error_message = "A name in event_targets must have 2 to 20 lower-case letters, digits and inner hyphens, and be no function's (${join(", ", keys(local._services))}); given: ${join(", ", keys(var.event_targets))}."
  }

  validation {
    condition     = alltrue([for t in values(var.event_targets) : length(compact([t.url, t.queue_arn, t.topic_arn])) == 1 && (t.url == null) == (t.connection_arn == null)])
    error_message = "Each of event_targets needs exactly one of url (with connection_arn), queue_arn and topic_arn; not so: ${join(", ", [for name, t in var.event_targets : name if length(compact([t.url, t.queue_arn, t.topic_arn])) != 1 || (t.url == null) != (t.connection_arn == null)])}."
  }

  # EventBridge calls public addresses over HTTPS alone; a * in a path would stand for a parameter.
  validation {
    condition = alltrue([
      for t in values(var.event_targets) :
      t.url == null || can(regex("^https://[a-zA-Z0-9][a-zA-Z0-9.-]*[.][a-zA-Z]{2,}(:[0-9]+)?(/[^*]*)?$", t.url)) && !can(regex("^https://[^/:]*[.](internal|local|localhost)([:/]|$)", t.url))
    ])
    error_message = "A url in event_targets must be https:// and a public host name, without *; given: ${join(", ", compact(values(var.event_targets)[*].url))}."
  }

  validation {
    condition = alltrue([
      for t in values(var.event_targets) :
      can(regex("^arn:[^:]+:events:[^:]+:[0-9]{12}:connection/.+", coalesce(t.connection_arn, "arn:aws:events:-:000000000000:connection/-"))) &&
      can(regex("^arn:[^:]+:sqs:[^:]+:[0-9]{12}:[A-Za-z0-9_-]+$", coalesce(t.queue_arn, "arn:aws:sqs:-:000000000000:-"))) &&
      can(regex("^arn:[^:]+:sns:[^:]+:[0-9]{12}:[A-Za-z0-9_-]+$", coalesce(t.topic_arn, "arn:aws:sns:-:000000000000:-")))
    ])
    error_message = "event_targets needs the ARNs of an EventBridge connection (connection_arn), a standard queue (queue_arn) and a standard topic (topic_arn); given: ${join(", ", flatten([for t in values(var.event_targets) : compact([t.connection_arn, t.queue_arn, t.topic_arn])]))}."
  }

  validation {
    condition = alltrue([
      for t in values(var.event_targets) :
      length(t.states) > 0 && length(setsubtract(t.states, ["succeeded", "rejected"])) == 0 &&
      (t.kinds == null || try(length(t.kinds) > 0 && alltrue([for ending in t.kinds : can(regex("^([.][a-z0-9]+)+$", ending))]), false))
    ])
    error_message = "states in event_targets must be succeeded, rejected or both, and kinds endings in lower case with their dot, such as .csv; given: ${jsonencode({ for name, t in var.event_targets : name => { states = t.states, kinds = t.kinds } })}."
  }

  # Source: EventBridge API reference, CreateApiDestination.
  validation {
    condition     = alltrue([for t in values(var.event_targets) : t.requests_per_second == floor(t.requests_per_second) && t.requests_per_second >= 1 && t.requests_per_second <= 300])
    error_message = "requests_per_second in event_targets must be a whole number from 1 to 300; given: ${join(", ", [for t in values(var.event_targets) : t.requests_per_second])}."
  }
}

variable "image_processor" {
  description = "Size and settings of the function that processes images; environment adds to its environment variables."
  type = object({
    memory_mb               = optional(number, 512)
    timeout_seconds         = optional(number, 300)
    ephemeral_storage_mb    = optional(number, 512)
    reserved_concurrency    = optional(number, -1)
    provisioned_concurrency = optional(number, 0)
    snap_start              = optional(bool, false)
    environment             = optional(map(string), {})
    # settings of image_processor: made by `make docs` from functions/image_processor/settings.py
    thumbnail_sizes     = optional(list(number), [160, 640, 1600]) # Longer side of each thumbnail in pixels.
    named_sizes         = optional(list(string), [])               # Thumbnails with a name: NAME=SIDE keeps the shape, NAME=WIDTHxHEIGHT crops to one around the most detailed part, with /centre around the middle, with /pad not at all.
    thumbnail_format    = optional(string, "webp")                 # Format of the thumbnails; JPEG is white where the picture is transparent.
    further_formats     = optional(list(string), [])               # Formats that each thumbnail is made in besides.
    thumbnail_quality   = optional(number, 80)                     # Quality of WebP, JPEG and AVIF thumbnails.
    thumbnail_animation = optional(string, "first")                # WebP thumbnails of an animation: its first frame, or all as an animation.
    max_file_mb         = optional(number, 256)                    # Largest file in MiB; it must fit into ephemeral_storage_mb beside the thumbnails.
    max_pixels          = optional(number, 400000000)              # Most pixels of a picture, which bounds the time; memory_mb may set a lower limit.
    max_metadata_kb     = optional(number, 16384)                  # Most KiB of everything in the file that is not picture.
    max_jpeg_scans      = optional(number, 100)                    # Most passes over the picture of a progressive JPEG.
    allow_truncated     = optional(bool, false)                    # Use what can be decoded of an incomplete file, with a warning.
    record_location     = optional(bool, false)                    # Record where a photo was taken.
    # end of settings of image_processor
  })
  default  = {}
  nullable = false

  # validations of image_processor: made by `make docs`
  validation {
    condition     = length(var.image_processor.thumbnail_sizes) > 0 && alltrue([for v in var.image_processor.thumbnail_sizes : v == floor(v) && v >= 16 && v <= 4096])
    error_message = "image_processor.thumbnail_sizes must be whole numbers from 16 to 4096; given: ${jsonencode(var.image_processor.thumbnail_sizes)}."
  }
  validation {
    condition     = alltrue([for v in var.image_processor.named_sizes : can(regex("^(?:[a-z][a-z0-9-]{0,30}=(?:[1-9][0-9]{1,2}|1[0-9]{3})(?:x(?:[1-9][0-9]{1,2}|1[0-9]{3})(?:/(?:centre|pad))?)?)$", v))])
    error_message = "image_processor.named_sizes must be texts such as small=320, og=1200x630, face=96x96/centre or card=400x300/pad; given: ${jsonencode(var.image_processor.named_sizes)}."
  }
  validation {
    condition     = contains(["webp", "jpeg", "png", "avif"], var.image_processor.thumbnail_format)
    error_message = "image_processor.thumbnail_format must be one of webp, jpeg, png, avif; given: ${var.image_processor.thumbnail_format}."
  }
  validation {
    condition     = alltrue([for v in var.image_processor.further_formats : contains(["webp", "jpeg", "png", "avif"], v)])
    error_message = "image_processor.further_formats must be some of webp, jpeg, png, avif; given: ${jsonencode(var.image_processor.further_formats)}."
  }
  validation {
    condition     = var.image_processor.thumbnail_quality == floor(var.image_processor.thumbnail_quality) && var.image_processor.thumbnail_quality >= 1 && var.image_processor.thumbnail_quality <= 100
    error_message = "image_processor.thumbnail_quality must be a whole number from 1 to 100; given: ${var.image_processor.thumbnail_quality}."
  }
  validation {
    condition     = contains(["first", "keep"], var.image_processor.thumbnail_animation)
    error_message = "image_processor.thumbnail_animation must be one of first, keep; given: ${var.image_processor.thumbnail_animation}."
  }
  validation {
    condition     = var.image_processor.max_file_mb == floor(var.image_processor.max_file_mb) && var.image_processor.max_file_mb >= 1 && var.image_processor.max_file_mb <= 10240
    error_message = "image_processor.max_file_mb must be a whole number from 1 to 10240; given: ${var.image_processor.max_file_mb}."
  }
  validation {
    condition     = var.image_processor.max_pixels == floor(var.image_processor.max_pixels) && var.image_processor.max_pixels >= 1 && var.image_processor.max_pixels <= 4294967296
    error_message = "image_processor.max_pixels must be a whole number from 1 to 4294967296; given: ${var.image_processor.max_pixels}."
  }
  validation {
    condition     = var.image_processor.max_metadata_kb == floor(var.image_processor.max_metadata_kb) && var.image_processor.max_metadata_kb >= 1 && var.image_processor.max_metadata_kb <= 1048576
    error_message = "image_processor.max_metadata_kb must be a whole number from 1 to 1048576; given: ${var.image_processor.max_metadata_kb}."
  }
  validation {
    condition     = var.image_processor.max_jpeg_scans == floor(var.image_processor.max_jpeg_scans) && var.image_processor.max_jpeg_scans >= 1 && var.image_processor.max_jpeg_scans <= 10000
    error_message = "image_processor.max_jpeg_scans must be a whole number from 1 to 10000; given: ${var.image_processor.max_jpeg_scans}."
  }
  # end of validations of image_processor

  validation {
    condition     = length(distinct([for s in var.image_processor.named_sizes : split("=", s)[0]])) == length(var.image_processor.named_sizes)
    error_message = "image_processor.named_sizes has a name twice: ${join(", ", var.image_processor.named_sizes)}."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key for the objects, the queues, the logs and the environment variables; its policy must let CloudWatch Logs of the region use it. Null: keys managed by AWS."
  type        = string
  default     = null
}

variable "lifecycle_rules" {
  description = "What happens to current objects with age, by prefix: days until a cheaper storage class, days until they expire."
  type = map(object({
    expiration_days = optional(number)
    transition_days = optional(number)
    storage_class   = optional(string, "STANDARD_IA")
  }))
  default  = {}
  nullable = false
}

variable "logging" {
  description = "Logs of the functions and of the API: days that they are kept, and the lowest level of the functions' own lines. Above INFO there are no lines of requests and uploads; their metrics are written at every level."
  type = object({
    retention_days = optional(number, 7)
    level          = optional(string, "INFO")
  })
  default  = {}
  nullable = false
}

variable "max_upload_bytes" {
  description = "Size in bytes of the largest file that a client may upload: up to 5 GiB, or 5 TiB where api.multipart_enabled lets large files come in parts."
  type        = number
  default     = 104857600
  nullable    = false

  validation {
    condition     = var.max_upload_bytes >= 1 && var.max_upload_bytes <= (var.api.multipart_enabled ? 5497558138880 : 5368709120)
    error_message = "max_upload_bytes must be 1 to 5368709120 (5 GiB, what S3 takes in one form), or to 5497558138880 (5 TiB) with api.multipart_enabled; given: ${var.max_upload_bytes}."
  }
}

variable "package_dir" {
  description = "Folder of the zips that `make package` builds. Null: build/ of this repository."
  type        = string
  default     = null

  validation {
    condition = var.artifacts != null || alltrue([
      for f in local._shipped :
      fileexists("${coalesce(var.package_dir, "${path.module}/../../build")}/${f}-${var.architecture}.zip")
    ])
    error_message = "The functions' zips are not all in ${coalesce(var.package_dir, "build/")}: run `make package` first (missing for ${var.architecture}: ${join(", ", [for f in local._shipped : f if !fileexists("${coalesce(var.package_dir, "${path.module}/../../build")}/${f}-${var.architecture}.zip")])})."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the policy that limits what each function's role can be allowed to do, whatever is written into its own policy. Null: none."
  type        = string
  default     = null
}

variable "processors" {
  description = "Functions of your own that uploads start, by name: what they do, kinds (the endings of the names of the files that start it, each with the content types that clients may give such a file), the zip (package, a path, or artifact, an object in S3), the handler (null: <name>.index.handler), size, environment variables, and what they may do beyond reading uploads and writing results."
  type = map(object({
    description             = string
    kinds                   = map(list(string))
    package                 = optional(string)
    handler                 = optional(string)
    architecture            = optional(string)
    memory_mb               = optional(number, 256)
    timeout_seconds         = optional(number, 60)
    ephemeral_storage_mb    = optional(number, 512)
    reserved_concurrency    = optional(number, -1)
    provisioned_concurrency = optional(number, 0)
    snap_start              = optional(bool, false)
    environment             = optional(map(string), {})
    artifact = optional(object({
      bucket        = string
      key           = string
      sha256_base64 = string
      version_id    = optional(string)
      runtime       = optional(string)
      architecture  = optional(string)
    }))
    statements = optional(map(object({
      actions    = list(string)
      resources  = list(string)
      conditions = optional(map(map(list(string))), {})
    })), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.processors) : can(regex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$", name)) && !contains(local._shipped, name)])
    error_message = "A name in processors must be lower-case words joined by underscores, such as word_count, and none of ${join(", ", local._shipped)}; given: ${join(", ", keys(var.processors))}."
  }

  validation {
    condition     = alltrue([for p in values(var.processors) : (p.package == null) != (p.artifact == null)])
    error_message = "Each of processors needs exactly one of package and artifact; not so: ${join(", ", [for name, p in var.processors : name if(p.package == null) == (p.artifact == null)])}."
  }

  validation {
    condition     = alltrue([for p in values(var.processors) : length(p.kinds) > 0 && alltrue([for e, types in p.kinds : can(regex("^([.][a-z0-9]+)+$", e)) && length(types) > 0])])
    error_message = "The kinds of processors must be endings in lower case with their dot, each with a content type, such as { \".txt\" = [\"text/plain\"] }; given: ${jsonencode({ for name, p in var.processors : name => p.kinds })}."
  }

  # modules/s3_uploads refuses endings of which one ends with the other.
  validation {
    condition = can({
      for ending in flatten([for p in concat(values(local._shipped_processors), values(var.processors)) : keys(p.kinds)]) : ending => true
    })
    error_message = "Two functions claim one kind of file: ${jsonencode({ for name, p in merge(local._shipped_processors, var.processors) : name => keys(p.kinds) })}. Leave each ending to one of them."
  }
}

variable "suffix" {
  description = "Name of the environment. It is in every name, so that several live side by side in one account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$", var.suffix))
    error_message = "suffix must have 1 to 20 lower-case letters, digits and inner hyphens; given: ${var.suffix}."
  }
}

variable "tags" {
  description = "Tags of everything, beside Project, Environment, CostCenter and ManagedBy, which they may override."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "tracing_enabled" {
  description = "Trace requests and executions with X-Ray."
  type        = bool
  default     = false
  nullable    = false
}

variable "vpc" {
  description = "Subnets and security groups that the functions run in; they need a way to S3 and SQS from there. Null: outside of any VPC of yours."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}
