# The most that a role of the functions can have, whatever its own policy says.
resource "aws_iam_policy" "boundary" {
  for_each = local._arns

  name        = "serverless-uploads-${each.key}-boundary"
  description = "Boundary of the functions of ${each.key}"
  tags        = merge(local._tags, { Environment = each.key })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Objects"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions", "s3:ListMultipartUploadParts", "s3:PutObject", "s3:PutObjectTagging"]
        Resource = [each.value.bucket, "${each.value.bucket}/*"]
      },
      {
        Sid      = "DeadLetterQueues"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = each.value.queues
      },
      {
        Sid      = "Events"
        Effect   = "Allow"
        Action   = "events:PutEvents"
        Resource = each.value.event_bus
      },
      {
        Sid      = "Webhooks"
        Effect   = "Allow"
        Action   = "events:InvokeApiDestination"
        Resource = each.value.webhooks
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [for l in each.value.logs : "${l}:*"]
      },
      {
        Sid    = "Processors"
        Effect = "Allow"
        Action = "lambda:InvokeFunction"
        # With an alias behind it, too: of SnapStart and provisioned concurrency.
        Resource = concat(each.value.functions, [for f in each.value.functions : "${f}:*"])
      },
      {
        Sid    = "TracesNetworkAndKeys"
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
          "kms:Decrypt",
          "kms:GenerateDataKey",
          "xray:PutTelemetryRecords",
          "xray:PutTraceSegments",
        ]
        Resource = "*"
      },
    ]
  })
}
