terraform {
  # 1.9 lets a validation name other variables, the newest thing of the language that is used.
  required_version = ">= 1.9"

  required_providers {
    # 5.32 added `logging_config` to aws_lambda_function, the newest thing that is used.
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.32, < 7.0"
    }
  }
}
