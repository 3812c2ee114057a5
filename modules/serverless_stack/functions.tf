# The functions of the stack. What else there is about a function follows from its entry here: role, queue,
# log group, alarms, what starts it, what the API accepts, the dashboard, the outputs, and so the tools.
locals {
  # Started by uploads. `kinds` are the endings of the names of the files that a function reads, each with the
  # content types that a client may give such a file; the first one is stored.
  _shipped_processors = {
    image_processor = {
      description = "Makes thumbnails of uploaded images and records their metadata"
      kinds = {
        ".avif" = ["image/avif"]
        ".bmp"  = ["image/bmp", "image/x-ms-bmp"]
        ".gif"  = ["image/gif"]
        ".heic" = ["image/heic", "image/heic-sequence"]
        ".heif" = ["image/heif", "image/heif-sequence"]
        ".jfif" = ["image/jpeg", "image/pjpeg"]
        ".jpeg" = ["image/jpeg", "image/pjpeg"]
        ".jpg"  = ["image/jpeg", "image/pjpeg"]
        ".png"  = ["image/png"]
        ".tif"  = ["image/tiff"]
        ".tiff" = ["image/tiff"]
        ".webp" = ["image/webp"]
      }
      size       = var.image_processor
      statements = {}
    }
    data_transformer = {
      description = "Turns uploaded tables into typed Parquet"
      kinds = {
        # Windows with Excel calls a CSV file application/vnd.ms-excel.
        ".csv"    = ["text/csv", "application/csv", "application/vnd.ms-excel", "text/plain"]
        ".json"   = ["application/json", "application/x-ndjson", "text/json"]
        ".jsonl"  = ["application/x-ndjson", "application/jsonl", "application/json", "text/plain"]
        ".ndjson" = ["application/x-ndjson", "application/json", "text/plain"]
        ".psv"    = ["text/plain", "text/csv"]
        ".tab"    = ["text/tab-separated-values", "text/plain"]
        ".tsv"    = ["text/tab-separated-values", "text/plain"]

        ".geojson" = ["application/geo+json", "application/json"]
        ".ods"     = ["application/vnd.oasis.opendocument.spreadsheet"]
        ".parquet" = ["application/vnd.apache.parquet", "application/octet-stream"]
        ".xls"     = ["application/vnd.ms-excel"]
        ".xlsm"    = ["application/vnd.ms-excel.sheet.macroenabled.12"]
        ".xlsx"    = ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"]

        ".csv.gz"    = ["application/gzip", "application/x-gzip"]
        ".csv.zst"   = ["application/zstd"]
        ".json.gz"   = ["application/gzip", "application/x-gzip"]
        ".jsonl.gz"  = ["application/gzip", "application/x-gzip"]
        ".jsonl.zst" = ["application/zstd"]
        ".ndjson.gz" = ["application/gzip", "application/x-gzip"]
        ".tsv.gz"    = ["application/gzip", "application/x-gzip"]
      }
      size       = var.data_transformer
      statements = {}
    }
  }

  # What an entry above need not say.
  _defaults = {
    ephemeral_storage_mb    = 512
    provisioned_concurrency = 0
    reserved_concurrency    = -1
    snap_start              = false
    environment             = {}
  }

  _processors = merge(
    {
      for name, p in local._shipped_processors : name => merge(p, {
        code = local._shipped_code[name]
        size = merge(local._defaults, p.size)
        # Settings, as the environment variables that the function reads: thumbnail_sizes is THUMBNAIL_SIZES.
        environment = {
          for setting, value in p.size : upper(setting) => try(join(",", value), tostring(value))
          if !contains(concat(keys(local._defaults), ["memory_mb", "timeout_seconds"]), setting)
        }
      })
    },
    {
      for name, p in var.processors : name => {
        description = p.description
        kinds       = p.kinds
        size        = p
        environment = {}
        statements  = p.statements
        code = {
          handler            = coalesce(p.handler, "${name}.index.handler")
          architecture       = coalesce(p.architecture, var.architecture)
          signing_config_arn = null
          path               = p.package
          s3                 = p.artifact
        }
      }
    },
  )

  _functions = merge(
    {
      for name, p in local._processors : name => merge(p, {
        statements  = merge(local._processor_statements, p.statements)
        environment = merge(p.environment, { for name in local._event_buses : "EVENT_BUS" => name })
        permissions = {
          AllowBucket = {
            principal      = "s3.amazonaws.com"
            source_arn     = local.bucket_arn
            source_account = local._account
          }
        }
      })
    },
    {
      api_handler = {
        description = "Answers the API: status, uploads, files and their results"
        kinds       = {}
        size        = merge(local._defaults, var.api_handler)
        environment = merge(local._owners, local._tag_names, {
          # Empty would mean the function's own default, any origin; no page's origin is "none".
          CORS_ALLOWED_ORIGINS = coalesce(join(",", var.cors_allowed_origins), "none")
          MAX_UPLOAD_BYTES     = tostring(var.max_upload_bytes)
          KINDS                = jsonencode({ for f, p in local._processors : local._invoked[f] => p.kinds })
          OPTION_FUNCTIONS     = local._invoked["data_transformer"]
          # Six hours that Lambda keeps an event, and the time that three tries of it may take.
          FAILED_AFTER_SECONDS     = tostring(21600 + 3 * max([for p in values(local._processors) : p.size.timeout_seconds]...) + 180)
          UPLOAD_URL_TTL_SECONDS   = "900"
          DOWNLOAD_URL_TTL_SECONDS = "300"
          ENABLE_DELETE            = tostring(var.api.deletion_enabled)
          ENABLE_REPROCESS         = tostring(var.api.reprocessing_enabled)
          ENABLE_MULTIPART         = tostring(var.api.multipart_enabled)
          ENABLE_DEDUPLICATION     = tostring(var.api.deduplication_enabled)
        })
        statements = merge(
          {
            # A presigned form has its signer's rights: no more than to write an upload.
            SignUploads = {
              actions   = ["s3:PutObject"]
              resources = ["${local.bucket_arn}/${local.upload_prefix}*"]
            }
            ReadFiles = {
              actions   = ["s3:GetObject"]
              resources = [for p in [local.upload_prefix, local.output_prefix] : "${local.bucket_arn}/${p}*"]
            }
            ListFiles = {
              actions    = ["s3:ListBucket"]
              resources  = [local.bucket_arn]
              conditions = { StringLike = { "s3:prefix" = [for p in [local.upload_prefix, local.output_prefix] : "${p}*"] } }
            }
          },
          {
            for sid in ["DeleteFiles"] : sid => {
              actions   = ["s3:DeleteObject"]
              resources = [for p in [local.upload_prefix, local.output_prefix] : "${local.bucket_arn}/${p}*"]
            } if var.api.deletion_enabled
          },
          {
            for sid in ["TagUploads"] : sid => {
              actions   = ["s3:PutObjectTagging"]
              resources = ["${local.bucket_arn}/${local.upload_prefix}*"]
            } if length(var.api.tag_names) > 0
          },
          {
            # s3:PutObject is what starts an upload in parts, stores a part and completes it.
            for sid in ["UploadInParts"] : sid => {
              actions   = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
              resources = ["${local.bucket_arn}/${local.upload_prefix}*"]
            } if var.api.multipart_enabled
          },
          {
            # No condition of AWS limits it to a prefix.
            for sid in ["ListUploadsInParts"] : sid => {
              actions   = ["s3:ListBucketMultipartUploads"]
              resources = [local.bucket_arn]
            } if var.api.multipart_enabled
          },
          {
            for sid in ["InvokeProcessors"] : sid => {
              actions   = ["lambda:InvokeFunction"]
              resources = [for name in keys(local._processors) : "${local._function_arn_prefix}${local._invoked[name]}"]
            } if var.api.reprocessing_enabled
          },
          local._key_statement,
        )
        permissions = {}
        code        = local._shipped_code["api_handler"]
      }
    },
  )

  # SnapStart and provisioned concurrency are of published versions, to which an alias points.
  _aliases = {
    for f, size in merge({ api_handler = var.api_handler }, { for name, p in local._processors : name => p.size }) :
    f => size.snap_start || size.provisioned_concurrency > 0 ? "live" : null
  }

  _tag_names = length(var.api.tag_names) == 0 ? {} : { TAG_NAMES = join(",", var.api.tag_names) }

  # The setting OWNERS, or none.
  _owners = var.api.owners == null ? {} : { OWNERS = jsonencode({ for name, value in var.api.owners : name => value if value != null }) }

  # Functions whose zips `make package` builds.
  _shipped     = sort(concat(["api_handler"], keys(local._shipped_processors)))
  _package_dir = coalesce(var.package_dir, "${path.module}/../../build")
  _shipped_code = {
    for f in local._shipped : f => {
      handler            = "${f}.index.handler"
      architecture       = var.architecture
      signing_config_arn = var.code_signing_config_arn
      path               = var.artifacts == null ? "${local._package_dir}/${f}-${var.architecture}.zip" : null
      s3                 = var.artifacts == null ? null : merge(var.artifacts.zips["${f}-${var.architecture}"], { bucket = var.artifacts.bucket })
    }
  }

  # Names in logs and metrics: { image_processor = "image-processor" }
  _services = { for f in concat(local._shipped, keys(var.processors)) : f => replace(f, "_", "-") }

  # Names in AWS: { image_processor = "image-processor-dev" }. Not outputs, so that a plan shows them.
  _names = { for f, service in local._services : f => "${service}-${var.suffix}" }

  # What the API invokes: { image_processor = "image-processor-dev", ... }, with ":" and the alias behind it.
  _invoked = { for f, alias in local._aliases : f => join(":", compact([local._names[f], alias])) }

  _function_arn_prefix = "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.id}:${local._account}:function:"

  # What every processor does with the bucket, and with the event bus.
  _processor_statements = merge(
    {
      ReadUploads = {
        actions   = ["s3:GetObject", "s3:GetObjectVersion"]
        resources = ["${local.bucket_arn}/${local.upload_prefix}*"]
      }
      ReplaceOutputs = {
        actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        resources = ["${local.bucket_arn}/${local.output_prefix}*"]
      }
      # Without it S3 answers 403 instead of 404 for a result that is not there yet, and for an
      # upload, or a version of it, that was deleted.
      ListFiles = {
        actions    = ["s3:ListBucket", "s3:ListBucketVersions"]
        resources  = [local.bucket_arn]
        conditions = { StringLike = { "s3:prefix" = [for p in [local.upload_prefix, local.output_prefix] : "${p}*"] } }
      }
    },
    {
      for name in local._event_buses : "SendResults" => {
        actions   = ["events:PutEvents"]
        resources = ["${local._events_arn_prefix}event-bus/${name}"]
      }
    },
    local._key_statement,
  )

  _key_statement = var.kms_key_arn == null ? {} : {
    UseKeyOfObjects = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arn]
    }
  }
}

module "functions" {
  source   = "../lambda_with_dlq"
  for_each = local._functions

  name                    = local._names[each.key]
  description             = each.value.description
  code                    = each.value.code
  alias_name              = local._aliases[each.key]
  memory_mb               = each.value.size.memory_mb
  timeout_seconds         = each.value.size.timeout_seconds
  ephemeral_storage_mb    = each.value.size.ephemeral_storage_mb
  provisioned_concurrency = each.value.size.provisioned_concurrency
  reserved_concurrency    = each.value.size.reserved_concurrency
  snap_start              = each.value.size.snap_start
  environment = merge(
    {
      BUCKET_NAME = local.bucket_name
      ENVIRONMENT = var.suffix
      # A zip that is not there is refused by the module below, in a sentence.
      CODE_SHA256                  = each.value.code.s3 == null ? try(filebase64sha256(each.value.code.path), "") : each.value.code.s3.sha256_base64
      POWERTOOLS_SERVICE_NAME      = local._services[each.key]
      POWERTOOLS_METRICS_NAMESPACE = "ServerlessUploads"
    },
    each.value.environment,
    each.value.size.environment,
  )
  statements               = each.value.statements
  permissions              = each.value.permissions
  permissions_boundary_arn = var.permissions_boundary_arn
  alarms                   = var.alarms
  logging                  = { retention_days = var.logging.retention_days, application_level = var.logging.level }
  kms_key_arn              = var.kms_key_arn
  tracing_enabled          = var.tracing_enabled
  vpc                      = var.vpc
  tags                     = local.tags
}

moved {
  from = module.api_handler
  to   = module.functions["api_handler"]
}

moved {
  from = module.data_transformer
  to   = module.functions["data_transformer"]
}

moved {
  from = module.image_processor
  to   = module.functions["image_processor"]
}
