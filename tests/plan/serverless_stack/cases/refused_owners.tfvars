suffix = "team-a"
alarms = { unattended = true }
api = {
  authorization = "AWS_IAM"
  owners        = { claim = "userArn", admins = { sub = ["*", "ada"] } }
}
