"""What is computed in the documents and in Terraform's inputs: `python -m scripts.docs`."""
