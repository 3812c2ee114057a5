suffix = "team-a"
alarms = { unattended = true }
api    = { owners = { claim = "accountId" } }
