locals {
  _api_function = {
    name       = module.functions["api_handler"].name
    invoke_arn = module.functions["api_handler"].invoke_arn
    qualifier  = local._aliases["api_handler"]
  }
  # Attributes of the signer of a request (AWS_IAM); functions/api_handler/owners.py reads them.
  _signer = ["accountId", "caller", "cognitoIdentityId", "userArn"]

  # The gateway waits 29 s at the most, however long the function may run.
  _api_timeout_seconds = min(29, var.api_handler.timeout_seconds)

  # `NewFile` of the OpenAPI document, word for word: a test compares the two.
  _upload_request = jsonencode({
    "$schema" = "http://json-schema.org/draft-04/schema#"
    title     = "UploadRequest"
    type      = "object"
    required  = ["name"]
    properties = {
      name            = { type = "string", minLength = 1, maxLength = 255 }
      content_type    = { type = "string", maxLength = 255 }
      size            = { type = "integer", minimum = 1 }
      checksum_sha256 = { type = "string", maxLength = 64 }
      metadata        = { type = "object", additionalProperties = { type = "string", minLength = 1 } }
      tags            = { type = "object", additionalProperties = { type = "string", maxLength = 256 } }
      options = {
        type                 = "object"
        additionalProperties = false
        properties = {
          delimiter   = { type = "string", minLength = 1, maxLength = 1 }
          decimal     = { type = "string", enum = [".", ","] }
          encoding    = { type = "string", maxLength = 64 }
          header      = { type = "boolean" }
          skip        = { type = "integer", minimum = 0, maximum = 1000 }
          null_values = { type = "array", maxItems = 100, items = { type = "string", minLength = 1 } }
          rows        = { type = "string", minLength = 1 }
          columns     = { type = "object", additionalProperties = { type = "string" } }
        }
      }
    }
    additionalProperties = false
  })

  # { name = { method, path, schema } }
  _routes = merge(
    {
      status      = { method = "GET", path = "/status" }
      list_files  = { method = "GET", path = "/files" }
      create_file = { method = "POST", path = "/files", schema = local._upload_request }
      read_file   = { method = "GET", path = "/files/{key+}" }
    },
    { for name in ["delete_file"] : name => { method = "DELETE", path = "/files/{key+}" } if var.api.deletion_enabled },
    # A greedy parameter is the last part of a path: this one takes "/reprocess" with it.
    { for name in ["reprocess_file"] : name => { method = "POST", path = "/files/{key+}" } if var.api.reprocessing_enabled },
    # The paths of Uppy's Companion.
    {
      for name, route in {
        form           = { method = "GET", path = "/s3/params" }
        start_parts    = { method = "POST", path = "/s3/multipart" }
        list_parts     = { method = "GET", path = "/s3/multipart/{upload_id}" }
        abandon_parts  = { method = "DELETE", path = "/s3/multipart/{upload_id}" }
        sign_part      = { method = "GET", path = "/s3/multipart/{upload_id}/{part}" }
        complete_parts = { method = "POST", path = "/s3/multipart/{upload_id}/{part}" }
      } : name => route if var.api.multipart_enabled
    },
  )
}

module "api" {
  source = "../rest_api"

  name        = "serverless-api-${var.suffix}"
  description = "Uploads of the environment ${var.suffix}"
  stage_name  = "prod"

  routes = {
    for name, r in local._routes : name => {
      method          = r.method
      path            = r.path
      schema          = try(r.schema, null)
      function        = local._api_function
      authorization   = var.api.authorization
      timeout_seconds = local._api_timeout_seconds
    }
  }
  authorizers   = var.api.authorizers
  allowed_cidrs = var.api.allowed_cidrs
  cors          = length(var.cors_allowed_origins) == 0 ? null : { allow_origins = var.cors_allowed_origins }

  throttling_rate_limit     = var.api.rate_limit
  throttling_burst_limit    = var.api.burst_limit
  access_log_retention_days = var.logging.retention_days
  access_log_enabled        = var.api.logging_enabled
  execution_log_level       = var.api.logging_enabled ? var.api.execution_log_level : "OFF"
  alarms                    = var.alarms
  metrics_enabled           = var.api.metrics_enabled
  tracing_enabled           = var.tracing_enabled
  log_kms_key_arn           = var.kms_key_arn
  custom_domain             = var.api.custom_domain
  web_acl                   = var.api.web_acl
  tags                      = local.tags
}
