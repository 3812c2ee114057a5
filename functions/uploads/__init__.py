"""Shared by the functions: events, object keys, the result record, the S3 side of processing."""
