"""Maintenance of the repository: locks, linters."""
