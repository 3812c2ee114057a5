suffix = "pr-7"
