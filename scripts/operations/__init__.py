"""The operator's commands: one module each, and shared ones; `scripts.operations` runs them."""
