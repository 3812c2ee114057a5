"""The two processing functions beside their peers. Run from the root by `make bench-functions`."""

from __future__ import annotations

from tests.performance import bench_images, bench_tables


def main() -> None:
    """Run both comparisons."""
    bench_images.main()
    bench_tables.main()


if __name__ == "__main__":
    main()
