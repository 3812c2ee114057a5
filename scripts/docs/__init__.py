"""Generated parts of the documents and of Terraform's inputs: `python -m scripts.docs`."""
