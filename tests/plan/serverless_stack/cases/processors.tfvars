suffix = "team-a"
alarms = { unattended = true }

# One with all that can be given, its zip in a bucket; one with what must be given, its zip in a folder.
processors = {
  word_count = {
    description          = "Counts the words of texts"
    kinds                = { ".txt" = ["text/plain", "text/markdown"] }
    handler              = "count.main"
    architecture         = "arm64"
    memory_mb            = 512
    timeout_seconds      = 120
    ephemeral_storage_mb = 1024
    reserved_concurrency = 5
    environment          = { LANGUAGE = "de" }
    artifact             = { bucket = "artifacts", key = "w.zip", sha256_base64 = "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=", version_id = "v1", runtime = "python3.12", architecture = "arm64" }
    statements = {
      ReadDictionary = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::dictionaries/*"], conditions = {} }
    }
  }
  example = {
    description = "An example"
    kinds       = { ".csv.foo" = ["application/x-foo"] }
    package     = "../../build/example-x86_64.zip"
  }
}
