suffix = "team-a"
alarms = { unattended = true }
event_targets = {
  image_processor = { queue_arn = "arn:aws:sqs:us-east-1:000000000000:archive.fifo", states = [] }
  nowhere         = { url = "http://10.0.0.1/x", kinds = ["csv"], requests_per_second = 301 }
}
