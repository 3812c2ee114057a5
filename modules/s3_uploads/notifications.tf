locals {
  # One element for each prefix and suffix of a notification:
  # [{ name, function_arn, prefix, suffix, spellings, events }]
  _filters = flatten([
    for name, n in var.notifications : [
      for pair in setproduct(n.prefixes, coalesce(n.suffixes, [""])) : {
        name         = name
        function_arn = n.function_arn
        prefix       = pair[0]
        suffix       = pair[1]
        events       = n.events

        # S3 compares case-sensitively, so each spelling is a separate filter: .csv, .CSV, .Csv. Nobody
        # writes .Csv.Gz.
        spellings = distinct(concat(
          [pair[1], lower(pair[1]), upper(pair[1])],
          length(split(".", pair[1])) > 2 ? [] : [title(lower(pair[1]))],
        ))
      }
    ]
  ])

  # What S3 stores, by the id that it shows: { "images:uploads/*.jpg" = { function_arn, prefix, suffix, events } }
  _configurations = merge([
    for f in local._filters : {
      for s in f.spellings : "${f.name}:${f.prefix}*${s}" => {
        function_arn = f.function_arn
        prefix       = f.prefix
        suffix       = s
        events       = f.events
      }
    }
  ]...)

  # Pairs of filters of which one object could match both; S3 refuses them, only at apply.
  _overlaps = distinct(flatten([
    for i, a in local._filters : [
      for b in slice(local._filters, i + 1, length(local._filters)) :
      "${a.name} (${a.prefix}*${a.suffix}) and ${b.name} (${b.prefix}*${b.suffix})"
      if(startswith(a.prefix, b.prefix) || startswith(b.prefix, a.prefix))
      && (endswith(lower(a.suffix), lower(b.suffix)) || endswith(lower(b.suffix), lower(a.suffix)))
      && anytrue([
        for pair in setproduct(a.events, b.events) :
        startswith(pair[0], trimsuffix(pair[1], "*")) || startswith(pair[1], trimsuffix(pair[0], "*"))
      ])
    ]
  ]))
}

# A bucket has one notification configuration: a second resource anywhere would overwrite this one.
resource "aws_s3_bucket_notification" "this" {
  count = length(var.notifications) > 0 || var.eventbridge_enabled ? 1 : 0

  bucket      = aws_s3_bucket.this.id
  eventbridge = var.eventbridge_enabled

  dynamic "lambda_function" {
    for_each = local._configurations

    content {
      id                  = lambda_function.key
      lambda_function_arn = lambda_function.value.function_arn
      events              = lambda_function.value.events
      filter_prefix       = lambda_function.value.prefix
      filter_suffix       = lambda_function.value.suffix
    }
  }

  lifecycle {
    precondition {
      condition     = length(local._overlaps) == 0
      error_message = "One object must not match two notifications of a bucket; these overlap: ${join("; ", local._overlaps)}."
    }

    precondition {
      condition     = length(local._configurations) <= 100
      error_message = "S3 takes 100 notification filters in a bucket and these need ${length(local._configurations)}, three for a suffix (.csv, .CSV, .Csv), two for one such as .csv.gz: use eventbridge_enabled with rules of your own for some of them."
    }
  }
}
