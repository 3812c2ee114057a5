suffix = "team-a"
alarms = { unattended = true }

processors = {
  "Word-Count" = {
    description = "Its name is no name, its kind no ending, and it has no zip"
    kinds       = { "txt" = ["text/plain"] }
  }
  tables = {
    description = "It reads what another function reads"
    kinds       = { ".csv" = ["text/csv"] }
    package     = "../../build/example-x86_64.zip"
  }
}
