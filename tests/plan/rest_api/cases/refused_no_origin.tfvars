cors = { allow_origins = [] }
