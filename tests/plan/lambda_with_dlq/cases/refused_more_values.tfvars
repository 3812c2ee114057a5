name         = "resize"
alarms       = { topic_arns = ["oncall"] }
asynchronous = { maximum_event_age_seconds = 30, failure_destination_arn = "arn:aws:s3:::photos" }
code         = { handler = "h", architecture = "mips" }
logging      = { application_level = "LOUD", system_level = "TRACE" }
statements   = { "List-photos" = { actions = ["s3:ListBucket"], resources = ["arn:aws:s3:::photos"] } }
