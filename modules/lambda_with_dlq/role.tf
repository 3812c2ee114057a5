locals {
  # { Sid = { actions, resources, conditions } }; a statement that is not needed is null.
  _own_statements = {
    WriteLogs = {
      actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      resources = ["${local._log_group_arn}:log-stream:*"]
    }
    SendToDeadLetterQueue = {
      actions   = ["sqs:SendMessage"]
      resources = [local._queue_arn]
    }
    # For the environment variables and the queue; the key of the log group is used by CloudWatch Logs.
    UseKeys = var.kms_key_arn == null ? null : {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arn]
    }
    # X-Ray knows no resources.
    Trace = !var.tracing_enabled ? null : {
      actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      resources = ["*"]
    }
    # Subnets and security groups may be another account's, which shares its network.
    JoinNetwork = var.vpc == null ? null : {
      actions = local._interface_actions
      resources = concat(
        ["arn:${local._partition}:ec2:${local._region}:${local._account}:network-interface/*"],
        [for id in var.vpc.subnet_ids : "arn:${local._partition}:ec2:${local._region}:*:subnet/${id}"],
        [for id in var.vpc.security_group_ids : "arn:${local._partition}:ec2:${local._region}:*:security-group/${id}"],
      )
    }
    # EC2 knows no resources for these.
    SeeNetwork = var.vpc == null ? null : {
      actions   = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
      resources = ["*"]
    }
  }

  # Lambda does these with the function's role; the function's code need not.
  _interface_actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
  ]
  _denials = var.vpc == null ? [] : [{
    Sid       = "KeepNetworkFromCode"
    Effect    = "Deny"
    Action    = local._interface_actions
    Resource  = ["*"]
    Condition = { ArnEquals = { "lambda:SourceFunctionArn" = [local._function_arn] } }
  }]
  _statements = concat(
    [for sid, s in local._own_statements : merge(s, { sid = sid, conditions = {} }) if s != null],
    [for sid, s in var.statements : merge(s, { sid = sid })],
  )
}

resource "aws_iam_role" "this" {
  # Roles belong to the account, functions to a region: without it two regions would collide.
  name        = "${var.name}-${local._region}"
  description = "What the function ${var.name} may do"
  tags        = var.tags

  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RunAsLambda"
        Effect    = "Allow"
        Principal = { Service = "lambda.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "function"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        for s in local._statements : merge(
          { Sid = s.sid, Effect = "Allow", Action = s.actions, Resource = s.resources },
          length(s.conditions) == 0 ? {} : { Condition = s.conditions },
        )
      ],
      local._denials,
    )
  })
}
