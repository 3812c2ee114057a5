"""What the functions share: events, object keys, the result record, the S3 side of processing."""
