output "bucket" {
  description = "Name of the bucket, for -backend-config=bucket=... of dev and prod."
  value       = module.state.name
}
