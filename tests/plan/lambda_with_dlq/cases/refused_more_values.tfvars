name         = "resize"
alarms       = { topic_arns = ["oncall"] }
asynchronous = { maximum_event_age_seconds = 30 }
code         = { handler = "h", architecture = "mips" }
logging      = { application_level = "LOUD" }
statements   = { "List-photos" = { actions = ["s3:ListBucket"], resources = ["arn:aws:s3:::photos"] } }
