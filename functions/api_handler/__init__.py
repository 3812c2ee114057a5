"""The HTTP API: creates uploads, lists them, returns their results."""
