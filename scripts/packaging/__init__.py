"""Building blocks of `python -m scripts.package`; see `scripts/package.py` for the formats."""
