"""Turns uploaded tables (CSV, JSON) into typed files."""
