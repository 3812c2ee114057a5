locals {
  # As modules/serverless_stack names them: functions/image_processor is image-processor-<suffix>.
  _functions = concat(
    [for path in fileset("${path.module}/../../functions", "*/index.py") : replace(dirname(path), "_", "-")],
    var.own_functions,
  )

  _state_arn = "arn:${local._partition}:s3:::terraform-state-${var.account_id}"

  # ARNs of everything that an environment is made of, by its name.
  _arns = {
    for e in var.environments : e => {
      api       = ["arn:${local._partition}:apigateway:${var.region}::/restapis", "arn:${local._partition}:apigateway:${var.region}::/restapis/*"]
      api_tags  = ["arn:${local._partition}:apigateway:${var.region}::/tags/*"]
      alarms    = [for f in concat(local._functions, ["serverless-api", "serverless-uploads"]) : "arn:${local._partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${f}-${e}-*"]
      boundary  = "arn:${local._partition}:iam::${var.account_id}:policy/serverless-uploads-${e}-boundary"
      bucket    = "arn:${local._partition}:s3:::serverless-uploads-${e}-${var.account_id}"
      dashboard = "arn:${local._partition}:cloudwatch::${var.account_id}:dashboard/serverless-uploads-${e}"
      # Rules and webhooks are named after the receivers of the events; AWS adds an ID to a webhook's name.
      event_rules = ["arn:${local._partition}:events:${var.region}:${var.account_id}:rule/serverless-uploads-${e}/*"]
      webhooks    = ["arn:${local._partition}:events:${var.region}:${var.account_id}:api-destination/serverless-uploads-${e}-*"]
      event_bus   = "arn:${local._partition}:events:${var.region}:${var.account_id}:event-bus/serverless-uploads-${e}"
      functions   = [for f in local._functions : "arn:${local._partition}:lambda:${var.region}:${var.account_id}:function:${f}-${e}"]
      logs = concat(
        [for f in local._functions : "arn:${local._partition}:logs:${var.region}:${var.account_id}:log-group:/aws/lambda/${f}-${e}"],
        ["arn:${local._partition}:logs:${var.region}:${var.account_id}:log-group:/aws/apigateway/serverless-api-${e}/prod/access"],
        # API Gateway names this group, by the id of the API.
        ["arn:${local._partition}:logs:${var.region}:${var.account_id}:log-group:API-Gateway-Execution-Logs_*/prod"],
      )
      queues = concat(
        [for f in local._functions : "arn:${local._partition}:sqs:${var.region}:${var.account_id}:${f}-${e}-dlq"],
        ["arn:${local._partition}:sqs:${var.region}:${var.account_id}:serverless-uploads-${e}-*-dlq"],
      )
      roles = concat(
        [for f in local._functions : "arn:${local._partition}:iam::${var.account_id}:role/${f}-${e}-${var.region}"],
        ["arn:${local._partition}:iam::${var.account_id}:role/serverless-uploads-${e}-webhooks-${var.region}"],
      )
      state = "${local._state_arn}/serverless-uploads/${e}.tfstate"
    }
  }

  # What the settings of the environments add, for each environment alike. A statement without resources is
  # left out: IAM refuses it.
  _shared_read_statements = {
    # Lambda shows the environment variables to those alone who may decrypt them.
    # Source: Lambda developer guide, "Securing environment variables".
    ReadWithKeys = {
      actions    = ["kms:Decrypt", "kms:DescribeKey"]
      resources  = tolist(var.kms_key_arns)
      conditions = {}
    }
    ReadWebAcls = {
      actions    = ["wafv2:GetWebACL"]
      resources  = tolist(var.web_acl_arns)
      conditions = {}
    }
  }
  _shared_write_statements = {
    # Lambda reads a published zip with the rights of whoever deploys it.
    ReadArtifacts = {
      actions    = ["s3:GetObject", "s3:GetObjectVersion"]
      resources  = [for arn in var.artifact_bucket_arns : "${arn}/*"]
      conditions = {}
    }
    # Lambda encrypts the environment variables with the rights of whoever deploys, and takes a grant.
    WriteWithKeys = {
      actions    = ["kms:Encrypt", "kms:GenerateDataKey"]
      resources  = tolist(var.kms_key_arns)
      conditions = {}
    }
    GrantKeysToServices = {
      actions    = ["kms:CreateGrant"]
      resources  = tolist(var.kms_key_arns)
      conditions = { Bool = { "kms:GrantIsForAWSResource" = ["true"] } }
    }
    AttachWebAcls = {
      actions    = ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"]
      resources  = concat(tolist(var.web_acl_arns), length(var.web_acl_arns) == 0 ? [] : ["arn:${local._partition}:apigateway:${var.region}::/restapis/*"])
      conditions = {}
    }
  }

  # What a plan needs: settings, and no object but the state. { dev = { Sid = { actions, resources, conditions } } }
  _read_statements = {
    for e, arns in local._arns : e => {
      FindState = {
        actions    = ["s3:ListBucket"]
        resources  = [local._state_arn]
        conditions = { StringLike = { "s3:prefix" = ["serverless-uploads/${e}.tfstate*"] } }
      }
      ReadState = {
        actions    = ["s3:GetObject"]
        resources  = [arns.state]
        conditions = {}
      }
      ReadBucket = {
        actions = [
          "s3:GetAccelerateConfiguration",
          "s3:GetBucket*",
          "s3:GetEncryptionConfiguration",
          "s3:GetLifecycleConfiguration",
          "s3:GetReplicationConfiguration",
          "s3:ListBucket",
          "s3:ListTagsForResource",
        ]
        resources  = [arns.bucket]
        conditions = {}
      }
      ReadFunctions = {
        actions    = ["lambda:Get*", "lambda:List*"]
        resources  = concat(arns.functions, [for f in arns.functions : "${f}:*"])
        conditions = {}
      }
      ReadRoles = {
        actions    = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
        resources  = arns.roles
        conditions = {}
      }
      ReadQueues = {
        actions    = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"]
        resources  = arns.queues
        conditions = {}
      }
      ReadEvents = {
        actions    = ["events:DescribeApiDestination", "events:DescribeEventBus", "events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule"]
        resources  = concat([arns.event_bus], arns.event_rules, arns.webhooks)
        conditions = {}
      }
      ReadLogGroups = {
        actions    = ["logs:ListTagsForResource"]
        resources  = concat(arns.logs, [for l in arns.logs : "${l}:*"])
        conditions = {}
      }
      ReadAlarms = {
        actions    = ["cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource"]
        resources  = concat(arns.alarms, [arns.dashboard])
        conditions = {}
      }
      ReadApi = {
        actions    = ["apigateway:GET"]
        resources  = concat(arns.api, arns.api_tags)
        conditions = {}
      }
      # These know no resource, or none that is known before it is made.
      Describe = {
        actions = [
          "cloudwatch:DescribeAlarms",
          "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets",
          "ec2:DescribeVpcs",
          "logs:DescribeLogGroups",
          "wafv2:GetWebACLForResource",
        ]
        resources  = ["*"]
        conditions = {}
      }
    }
  }

  # What an apply needs besides.
  _write_statements = {
    for e, arns in local._arns : e => {
      WriteState = {
        actions    = ["s3:PutObject"]
        resources  = [arns.state]
        conditions = {}
      }
      LockState = {
        actions    = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        resources  = ["${arns.state}.tflock"]
        conditions = {}
      }
      WriteBucket = {
        actions = [
          "s3:CreateBucket",
          "s3:DeleteBucket*",
          "s3:PutBucket*",
          "s3:PutEncryptionConfiguration",
          "s3:PutLifecycleConfiguration",
          "s3:TagResource",
          "s3:UntagResource",
        ]
        resources  = [arns.bucket]
        conditions = {}
      }
      WriteFunctions = {
        actions = [
          "lambda:AddPermission",
          "lambda:CreateAlias",
          "lambda:CreateFunction",
          "lambda:DeleteAlias",
          "lambda:DeleteFunction*",
          "lambda:DeleteProvisionedConcurrencyConfig",
          "lambda:PublishVersion",
          "lambda:PutFunction*",
          "lambda:PutProvisionedConcurrencyConfig",
          "lambda:RemovePermission",
          "lambda:TagResource",
          "lambda:UntagResource",
          "lambda:UpdateAlias",
          "lambda:UpdateFunction*",
        ]
        resources  = concat(arns.functions, [for f in arns.functions : "${f}:*"])
        conditions = {}
      }
      # Who may write a role's policy and run code as it has all that the role can get. The boundary
      # ends that at what the functions of the environment need.
      WriteRolesInBoundary = {
        actions    = ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
        resources  = arns.roles
        conditions = { StringEquals = { "iam:PermissionsBoundary" = arns.boundary } }
      }
      WriteRoles = {
        actions = [
          "iam:DeleteRole",
          "iam:ListInstanceProfilesForRole",
          "iam:TagRole",
          "iam:UntagRole",
          "iam:UpdateRole",
          "iam:UpdateRoleDescription",
        ]
        resources  = arns.roles
        conditions = {}
      }
      PassRolesToServices = {
        actions    = ["iam:PassRole"]
        resources  = arns.roles
        conditions = { StringEquals = { "iam:PassedToService" = ["events.amazonaws.com", "lambda.amazonaws.com"] } }
      }
      WriteQueues = {
        actions    = ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"]
        resources  = arns.queues
        conditions = {}
      }
      WriteEvents = {
        actions = [
          "events:CreateApiDestination",
          "events:CreateEventBus",
          "events:DeleteApiDestination",
          "events:DeleteEventBus",
          "events:DeleteRule",
          "events:PutRule",
          "events:PutTargets",
          "events:RemoveTargets",
          "events:TagResource",
          "events:UntagResource",
          "events:UpdateApiDestination",
          "events:UpdateEventBus",
        ]
        resources  = concat([arns.event_bus], arns.event_rules, arns.webhooks)
        conditions = {}
      }
      WriteLogGroups = {
        actions = [
          "logs:AssociateKmsKey",
          "logs:CreateLogGroup",
          "logs:DeleteLogGroup",
          "logs:DeleteRetentionPolicy",
          "logs:DisassociateKmsKey",
          "logs:PutRetentionPolicy",
          "logs:TagResource",
          "logs:UntagResource",
        ]
        resources  = concat(arns.logs, [for l in arns.logs : "${l}:*"])
        conditions = {}
      }
      WriteAlarms = {
        actions = [
          "cloudwatch:DeleteAlarms",
          "cloudwatch:DeleteDashboards",
          "cloudwatch:PutDashboard",
          "cloudwatch:PutMetricAlarm",
          "cloudwatch:TagResource",
          "cloudwatch:UntagResource",
        ]
        resources  = concat(arns.alarms, [arns.dashboard])
        conditions = {}
      }
      # An API has an id and no name until it is made: all REST APIs of the region.
      WriteApi = {
        actions = [
          "apigateway:DELETE",
          "apigateway:PATCH",
          "apigateway:POST",
          "apigateway:PUT",
          "apigateway:SetWebACL",
          "apigateway:UpdateRestApiPolicy",
        ]
        resources  = concat(arns.api, arns.api_tags)
        conditions = {}
      }
      # The access log of the API is written by a delivery that belongs to the account.
      DeliverLogs = {
        actions = [
          "logs:CreateLogDelivery",
          "logs:DeleteLogDelivery",
          "logs:DescribeResourcePolicies",
          "logs:GetLogDelivery",
          "logs:ListLogDeliveries",
          "logs:PutResourcePolicy",
          "logs:UpdateLogDelivery",
        ]
        resources  = ["*"]
        conditions = {}
      }
    }
  }
}
