"""The HTTP API: asks for uploads, lists them, tells what became of them."""
