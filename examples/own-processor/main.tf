# An environment with one further processor beside those of the platform.
provider "aws" {
  region = "us-east-1"
}

module "stack" {
  source = "../../modules/serverless_stack"

  suffix       = var.suffix
  architecture = var.architecture
  alarms       = { unattended = true }

  processors = {
    word_count = {
      description = "Counts the words of uploaded texts"
      package     = "${path.module}/../../build/word_count-${var.architecture}.zip"
      kinds = {
        ".txt" = ["text/plain"]
        ".md"  = ["text/markdown", "text/plain"]
      }
    }
  }
}
