suffix           = "Team_A"
architecture     = "mips"
max_upload_bytes = 0
