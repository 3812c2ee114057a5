suffix = "team-a"
