variable "architecture" {
  description = "Processor architecture of this machine, on which the functions run: x86_64 or arm64."
  type        = string
  default     = "x86_64"
  nullable    = false
}

variable "package_dir" {
  description = "Folder of the functions' zips. Null: build/ of the repository; on a Mac `make demo` sets another folder."
  type        = string
  default     = null
}

variable "suffix" {
  description = "Name of the environment, in every name."
  type        = string
  default     = "local"
  nullable    = false
}
