"""The operator's commands: one module each, and what they share; `scripts.operate` runs them."""
