suffix         = "team-a"
alarms         = { unattended = true }
events_enabled = true
event_targets = {
  crm = {
    url                 = "https://crm.example.com/uploads"
    connection_arn      = "arn:aws:events:us-east-1:000000000000:connection/crm/0a1b"
    requests_per_second = 5
    states              = ["succeeded"]
    kinds               = [".csv", ".xlsx"]
  }
  archive = { queue_arn = "arn:aws:sqs:us-east-1:000000000000:archive" }
  on-call = { topic_arn = "arn:aws:sns:us-east-1:000000000000:on-call", states = ["rejected"] }
}
