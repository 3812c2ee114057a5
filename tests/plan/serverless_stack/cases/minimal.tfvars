suffix = "team-a"
alarms = { unattended = true }
