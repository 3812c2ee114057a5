variable "architecture" {
  description = "Processor architecture of the functions: x86_64 or arm64."
  type        = string
  default     = "x86_64"
  nullable    = false
}

variable "suffix" {
  description = "Name of the environment, in every name."
  type        = string
  default     = "words"
  nullable    = false
}
