"""The two processing functions beside their peers. Run from the root by `make bench-functions`."""

from __future__ import annotations

import importlib
import importlib.util


def main() -> None:
    """Run the comparison of each function that has one."""
    for name in ("bench_images", "bench_tables"):
        module = f"tests.performance.{name}"
        if importlib.util.find_spec(module):
            importlib.import_module(module).main()


if __name__ == "__main__":
    main()
