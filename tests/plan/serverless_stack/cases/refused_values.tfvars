suffix           = "Team_A"
architecture     = "mips"
max_upload_bytes = 0
api              = { tag_names = ["team", "aws:owner"] }
