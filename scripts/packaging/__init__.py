"""Builds the functions' zips: `python -m scripts.packaging`, see docs/packaging.md."""
