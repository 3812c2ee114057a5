name = "photos"
