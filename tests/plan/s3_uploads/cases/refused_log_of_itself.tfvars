name       = "photos"
access_log = { bucket = "photos" }
