locals {
  _image_suffixes = [".jpg", ".jpeg", ".png"]
  _table_suffixes = [".json", ".csv"]

  # { ".jpg" = "image-processor-dev", ... }
  _processor_by_suffix = merge(
    { for s in local._image_suffixes : s => "image-processor-${var.suffix}" },
    { for s in local._table_suffixes : s => "data-transformer-${var.suffix}" },
  )
  _function_arn_prefix = "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.id}:${local._account}:function:"

  _package_dir = coalesce(var.package_dir, "${path.module}/../../build")
  _zips        = { for f in ["api_handler", "data_transformer", "image_processor"] : f => "${f}-${var.architecture}" }

  # { image_processor = { path, s3, handler, architecture } }
  _code = {
    for f, zip in local._zips : f => {
      handler            = "${f}.index.handler"
      architecture       = var.architecture
      signing_config_arn = var.code_signing_config_arn
      path               = var.artifacts == null ? "${local._package_dir}/${zip}.zip" : null
      s3                 = var.artifacts == null ? null : merge(var.artifacts.zips[zip], { bucket = var.artifacts.bucket })
    }
  }
  _code_sha256 = {
    for f, code in local._code : f => code.s3 == null ? filebase64sha256(code.path) : code.s3.sha256_base64
  }

  # Environment variables of every function.
  _environment = {
    for f in keys(local._zips) : f => {
      ENVIRONMENT                  = var.suffix
      CODE_SHA256                  = local._code_sha256[f]
      POWERTOOLS_SERVICE_NAME      = replace(f, "_", "-")
      POWERTOOLS_METRICS_NAMESPACE = "ServerlessUploads"
    }
  }

  _alarms  = var.alarms
  _logging = { retention_days = var.logging.retention_days, application_level = var.logging.level, kms_key_arn = var.kms_key_arn }
  _queue   = { kms_key_arn = var.kms_key_arn, allow_http_from_loopback = var.allow_http_from_loopback }

  _invocation_by_bucket = {
    AllowBucket = {
      principal      = "s3.amazonaws.com"
      source_arn     = local.bucket_arn
      source_account = local._account
    }
  }

  # What both processors do with the bucket.
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
    local._key_statement,
  )

  _key_statement = var.kms_key_arn == null ? {} : {
    UseKeyOfObjects = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arn]
    }
  }
}

module "image_processor" {
  source = "../lambda_with_dlq"

  name                 = "image-processor-${var.suffix}"
  description          = "Makes thumbnails of uploaded images and records their metadata"
  code                 = local._code["image_processor"]
  memory_mb            = var.image_processor.memory_mb
  timeout_seconds      = var.image_processor.timeout_seconds
  ephemeral_storage_mb = var.image_processor.ephemeral_storage_mb
  reserved_concurrency = var.image_processor.reserved_concurrency
  environment = merge(
    local._environment["image_processor"],
    {
      THUMBNAIL_SIZES   = "160,640,1600"
      THUMBNAIL_FORMAT  = "webp"
      THUMBNAIL_QUALITY = "80"
    },
    var.image_processor.environment,
  )
  statements        = local._processor_statements
  permissions       = local._invocation_by_bucket
  alarms            = local._alarms
  logging           = local._logging
  dead_letter_queue = local._queue
  kms_key_arn       = var.kms_key_arn
  tracing_enabled   = var.tracing_enabled
  vpc               = var.vpc
  tags              = local.tags

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "data_transformer" {
  source = "../lambda_with_dlq"

  name                 = "data-transformer-${var.suffix}"
  description          = "Turns uploaded CSV and JSON into typed Parquet"
  code                 = local._code["data_transformer"]
  memory_mb            = var.data_transformer.memory_mb
  timeout_seconds      = var.data_transformer.timeout_seconds
  ephemeral_storage_mb = var.data_transformer.ephemeral_storage_mb
  reserved_concurrency = var.data_transformer.reserved_concurrency
  environment = merge(
    local._environment["data_transformer"],
    {
      OUTPUT_FORMATS          = "parquet"
      MAX_REJECTED_ROWS_SHARE = "0.1"
    },
    var.data_transformer.environment,
  )
  statements        = local._processor_statements
  permissions       = local._invocation_by_bucket
  alarms            = local._alarms
  logging           = local._logging
  dead_letter_queue = local._queue
  kms_key_arn       = var.kms_key_arn
  tracing_enabled   = var.tracing_enabled
  vpc               = var.vpc
  tags              = local.tags

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "api_handler" {
  source = "../lambda_with_dlq"

  name                 = "api-handler-${var.suffix}"
  description          = "Answers the API: status, uploads, files and their results"
  code                 = local._code["api_handler"]
  memory_mb            = var.api_handler.memory_mb
  timeout_seconds      = var.api_handler.timeout_seconds
  reserved_concurrency = var.api_handler.reserved_concurrency
  environment = merge(
    local._environment["api_handler"],
    {
      BUCKET = local.bucket_name
      # Empty would mean the function's own default, any origin; no page's origin is "none".
      CORS_ALLOWED_ORIGINS     = coalesce(join(",", var.cors_allowed_origins), "none")
      MAX_UPLOAD_BYTES         = tostring(var.max_upload_bytes)
      ACCEPTED_EXTENSIONS      = join(",", concat(local._image_suffixes, local._table_suffixes))
      UPLOAD_URL_TTL_SECONDS   = "900"
      DOWNLOAD_URL_TTL_SECONDS = "300"
      ENABLE_DELETE            = tostring(var.api.deletion_enabled)
      ENABLE_REPROCESS         = tostring(var.api.reprocessing_enabled)
      REPROCESS_FUNCTIONS      = jsonencode(local._processor_by_suffix)
    },
    var.api_handler.environment,
  )
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
      for sid in ["InvokeProcessors"] : sid => {
        actions   = ["lambda:InvokeFunction"]
        resources = [for name in distinct(values(local._processor_by_suffix)) : "${local._function_arn_prefix}${name}"]
      } if var.api.reprocessing_enabled
    },
    local._key_statement,
  )
  alarms            = local._alarms
  logging           = local._logging
  dead_letter_queue = local._queue
  kms_key_arn       = var.kms_key_arn
  tracing_enabled   = var.tracing_enabled
  vpc               = var.vpc
  tags              = local.tags

  permissions_boundary_arn = var.permissions_boundary_arn
}
