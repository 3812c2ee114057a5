suffix = "team-a"
alarms = { unattended = true }

processors = {
  word_count = {
    description = "Its zip was not built"
    kinds       = { ".txt" = ["text/plain"] }
    package     = "../../build/word_count-x86_64.zip"
  }
  example = {
    description = "Its zip has another handler"
    kinds       = { ".md" = ["text/markdown"] }
    package     = "../../build/example-x86_64.zip"
    handler     = "example.main"
  }
}
