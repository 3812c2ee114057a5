terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.61, < 7.0"
    }
  }

  # Beside the emulator's data, since one is nothing without the other: `make down` removes both.
  backend "local" {
    path = "../../.local/cloud/terraform.tfstate"
  }
}
