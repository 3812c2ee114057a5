name                 = "re/size"
alias_name           = "1st"
environment          = { "A-B" = "c" }
ephemeral_storage_mb = 100
memory_mb            = 64
reserved_concurrency = -2
timeout_seconds      = 901
alarms               = { share_of_timeout = 2 }
asynchronous         = { retries = 3 }
code                 = { handler = "h", path = "../../build/none.zip" }
dead_letter_queue    = { retention_days = 15 }
logging              = { retention_days = 8 }
permissions          = { Bucket = { principal = "s3.amazonaws.com", source_arn = "arn:aws:s3:::photos", source_account = "me" } }
statements           = { All = { actions = ["s3:*"], resources = ["*"] } }
vpc                  = { subnet_ids = [], security_group_ids = ["sg-1"] }
