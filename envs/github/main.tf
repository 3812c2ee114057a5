# The roles that the workflows of .github/workflows take on, by OpenID Connect: GitHub keeps no key.
# Applied once an account by a person, since these roles may not change themselves.
provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
}

data "aws_partition" "current" {}

resource "aws_iam_openid_connect_provider" "github" {
  # An account can have one for an address.
  count = var.create_provider ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
  tags           = local._tags
}

locals {
  _partition    = data.aws_partition.current.partition
  _provider_arn = "arn:${local._partition}:iam::${var.account_id}:oidc-provider/token.actions.githubusercontent.com"
  _tags         = { Project = "ServerlessInfrastructure", ManagedBy = "Terraform" }

  # What a run of the workflows says of itself. A pull request's run and one of the main branch may
  # read; only a job of the environment, with its required reviewers, may change it.
  # { dev-plan = { environment, kind, subjects, statements } }
  _roles = merge(
    {
      for e in var.environments : "${e}-plan" => {
        environment = e
        description = "Plans of ${e} by GitHub Actions: reads"
        subjects    = ["${var.subject_prefix}:pull_request", "${var.subject_prefix}:ref:refs/heads/main"]
        statements  = merge(local._read_statements[e], local._shared_read_statements)
      }
    },
    {
      for e in var.environments : "${e}-deploy" => {
        environment = e
        description = "Deployments to ${e} by GitHub Actions"
        subjects    = ["${var.subject_prefix}:environment:${e}"]
        statements = merge(
          local._read_statements[e],
          local._write_statements[e],
          local._shared_read_statements,
          local._shared_write_statements,
        )
      }
    },
  )
}

resource "aws_iam_role" "this" {
  for_each = local._roles

  name                 = "serverless-uploads-${each.key}"
  description          = each.value.description
  max_session_duration = 3600
  tags                 = merge(local._tags, { Environment = each.value.environment })

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RunOfTheWorkflows"
        Effect    = "Allow"
        Principal = { Federated = local._provider_arn }
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
            "token.actions.githubusercontent.com:sub" = each.value.subjects
          }
        }
      },
    ]
  })

  depends_on = [aws_iam_openid_connect_provider.github] # AWS checks that the principal exists
}

resource "aws_iam_role_policy" "this" {
  for_each = local._roles

  name = "terraform"
  role = aws_iam_role.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for sid, s in each.value.statements : merge(
        { Sid = sid, Effect = "Allow", Action = s.actions, Resource = s.resources },
        length(s.conditions) == 0 ? {} : { Condition = s.conditions },
      ) if length(s.resources) > 0
    ]
  })
}
