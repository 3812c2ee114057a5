terraform {
  # 1.10 lets the S3 backend lock with a file (use_lockfile).
  required_version = ">= 1.10"

  required_providers {
    # 5.32 added `logging_config` to aws_lambda_function, the newest thing that is used.
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.32, < 7.0"
    }
  }

  # Where the state is kept is given at init: -backend-config=backend.hcl
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
