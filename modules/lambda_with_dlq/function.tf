resource "aws_lambda_function" "this" {
  function_name                  = var.name
  description                    = var.description
  role                           = aws_iam_role.this.arn
  handler                        = var.code.handler
  runtime                        = var.code.runtime
  architectures                  = [var.code.architecture]
  code_signing_config_arn        = var.code.signing_config_arn
  filename                       = var.code.path
  s3_bucket                      = one(var.code.s3[*].bucket)
  s3_key                         = one(var.code.s3[*].key)
  s3_object_version              = one(var.code.s3[*].version_id)
  source_code_hash               = var.code.s3 == null ? filebase64sha256(var.code.path) : var.code.s3.sha256_base64
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.reserved_concurrency
  kms_key_arn                    = var.kms_key_arn
  publish                        = var.alias_name != null
  tags                           = var.tags

  dead_letter_config {
    target_arn = local._queue_arn
  }

  environment {
    variables = merge({ LOG_LEVEL = local._logger_level }, var.environment)
  }

  ephemeral_storage {
    size = var.ephemeral_storage_mb
  }

  logging_config {
    log_format            = "JSON"
    log_group             = local._log_group_name
    application_log_level = local._filter_level
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = var.tracing_enabled ? "Active" : "PassThrough"
  }

  # No block with "None": the provider reads that as no block, and would change it at every plan.
  dynamic "snap_start" {
    for_each = var.snap_start ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  dynamic "vpc_config" {
    for_each = var.vpc[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # A function that logs before its group exists makes the group itself, without retention, and one
  # whose role lacks the queue is refused. Named by ARN, both have to be waited for.
  depends_on = [
    aws_cloudwatch_log_group.this,
    aws_iam_role_policy.this,
    aws_sqs_queue.dead_letter,
  ]
}

resource "aws_lambda_alias" "this" {
  count = var.alias_name == null ? 0 : 1

  name             = var.alias_name
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_provisioned_concurrency_config" "this" {
  count = var.provisioned_concurrency == 0 ? 0 : 1

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.this[0].name
  provisioned_concurrent_executions = var.provisioned_concurrency
}

resource "aws_lambda_function_event_invoke_config" "this" {
  # The unqualified function and its alias have separate settings.
  for_each = toset(compact(["$LATEST", var.alias_name]))

  function_name                = aws_lambda_function.this.function_name
  qualifier                    = each.key == "$LATEST" ? null : aws_lambda_alias.this[0].name
  maximum_retry_attempts       = var.asynchronous.retries
  maximum_event_age_in_seconds = var.asynchronous.maximum_event_age_seconds
}

resource "aws_lambda_permission" "this" {
  for_each = var.permissions

  statement_id   = each.key
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  qualifier      = one(aws_lambda_alias.this[*].name)
  principal      = each.value.principal
  source_arn     = each.value.source_arn
  source_account = each.value.source_account
}
