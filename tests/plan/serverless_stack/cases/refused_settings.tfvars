suffix = "team-a"

image_processor = {
  thumbnail_sizes     = [160, 8.5]
  named_sizes         = ["og=1200x630", "og=1200x9"]
  thumbnail_format    = "heic"
  further_formats     = ["gif"]
  thumbnail_quality   = 101
  thumbnail_animation = "loop"
  max_file_mb         = 0
  max_pixels          = 0.5
  max_metadata_kb     = -1
  max_jpeg_scans      = 20000
}
data_transformer = {
  output_formats          = []
  max_rejected_rows_share = 10
  max_rejected_rows       = 5000000
  memory_limit_mb         = 10
  column_names            = "camelCase"
  table_options           = "{\"seperator\": \";\"}"
  max_decompressed_mb     = 0
}
