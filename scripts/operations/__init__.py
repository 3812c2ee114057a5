"""The operator's commands: one module each, and what they share; `scripts.operations` runs them."""
