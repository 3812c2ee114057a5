suffix        = "team-a"
alarms        = { unattended = true }
event_targets = { image_processor = { queue_arn = "arn:aws:sqs:us-east-1:000000000000:archive" } }
