suffix = "team-a"
alarms = { unattended = true }
api = {
  authorization = "AWS_IAM"
  owners        = { claim = "userArn", admins = { sub = ["*", "ada"] }, max_bytes = 5 }
  tag_names     = ["team", "aws:owner"]
}
