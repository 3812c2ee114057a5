locals {
  _region = data.aws_region.current.id

  _on_api = ["ApiName", "serverless-api-${var.suffix}", "Stage", "prod"]

  _processing_services = [for f in keys(local._processors) : local._services[f]]

  # Rows of at most three widgets from top to bottom, each { title, stat, metrics, limits }.
  _dashboard_rows = concat(
    [
      [
        {
          title   = "API: requests and errors"
          stat    = "Sum"
          metrics = [for m in ["Count", "4XXError", "5XXError"] : concat(["AWS/ApiGateway", m], local._on_api)]
        },
        {
          title   = "API: latency (ms)"
          stat    = "p50"
          metrics = [for s in ["p50", "p95", "p99"] : concat(["AWS/ApiGateway", "Latency"], local._on_api, [{ stat = s, label = s }])]
        },
        {
          title   = "Events that failed for good (waiting in the queues)"
          stat    = "Maximum"
          metrics = [for n in concat(values(local._names), values(local._target_names)) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${n}-dlq"]]
        },
      ],
      [
        {
          title = "Uploads: requested, succeeded, rejected"
          stat  = "Sum"
          metrics = concat(
            [["ServerlessUploads", "UploadsAsked", "service", "api-handler", "environment", var.suffix]],
            [
              for pair in setproduct(["UploadsSucceeded", "UploadsRejected"], local._processing_services) :
              ["ServerlessUploads", pair[0], "service", pair[1], "environment", var.suffix, { label = "${pair[0]} ${pair[1]}" }]
            ],
          )
        },
        {
          title = "Uploads: time to process (ms)"
          stat  = "p50"
          metrics = [
            for pair in setproduct(local._processing_services, ["p50", "p99"]) :
            ["ServerlessUploads", "ProcessingTime", "service", pair[0], "environment", var.suffix, { stat = pair[1], label = "${pair[0]} ${pair[1]}" }]
          ]
        },
      ],
      [
        for title, metric in {
          "Functions: invocations" = "Invocations"
          "Functions: errors"      = "Errors"
          "Functions: throttles"   = "Throttles"
          } : {
          title   = title
          stat    = "Sum"
          metrics = [for n in values(local._names) : ["AWS/Lambda", metric, "FunctionName", n]]
        }
      ],
    ],
    chunklist([
      for f, n in local._names : {
        title   = "${n}: duration against its timeout (ms)"
        stat    = "p50"
        metrics = [for s in ["p50", "p95", "p99", "Maximum"] : ["AWS/Lambda", "Duration", "FunctionName", n, { stat = s, label = s }]]
        limits  = [{ label = "timeout", value = local._functions[f].size.timeout_seconds * 1000 }]
      }
    ], 3),
    # Metrics of a rule on a bus that is not the default one have both dimensions.
    length(var.event_targets) == 0 ? [] : [
      [
        for title, metric in {
          "Events: sent to receivers"                 = "Invocations"
          "Events: not delivered (waiting in queues)" = "InvocationsSentToDlq"
          } : {
          title   = title
          stat    = "Sum"
          metrics = [for name in keys(var.event_targets) : ["AWS/Events", metric, "EventBusName", local._event_bus_name, "RuleName", name]]
        }
      ],
    ],
    [
      [
        {
          title   = "Functions: executions at the same time"
          stat    = "Maximum"
          metrics = [for n in values(local._names) : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", n]]
        },
        {
          title   = "Bucket: objects (once a day)"
          stat    = "Average"
          metrics = [["AWS/S3", "NumberOfObjects", "BucketName", local.bucket_name, "StorageType", "AllStorageTypes"]]
        },
        {
          title   = "Bucket: bytes (once a day)"
          stat    = "Average"
          metrics = [["AWS/S3", "BucketSizeBytes", "BucketName", local.bucket_name, "StorageType", "StandardStorage"]]
        },
      ],
    ],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "serverless-uploads-${var.suffix}"

  dashboard_body = jsonencode({
    widgets = flatten([
      for y, row in local._dashboard_rows : [
        for x, w in row : {
          type   = "metric"
          x      = x * 8
          y      = y * 6
          width  = 8
          height = 6
          properties = {
            title       = w.title
            region      = local._region
            stat        = w.stat
            period      = startswith(w.title, "Bucket") ? 86400 : 60
            metrics     = w.metrics
            view        = "timeSeries"
            annotations = { horizontal = try(w.limits, []) }
          }
        }
      ]
    ])
  })
}
