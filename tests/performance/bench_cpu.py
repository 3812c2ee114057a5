"""Processor time of the processing functions: what scripts/docs/costs.py counts with.

Run from the root by `make bench-cpu`. Each file is processed five times in one process, as a warm
function does; the median counts. Reading from and writing to S3 is not in it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "functions")]

from PIL import Image  # noqa: E402

from data_transformer.core import Transformer  # noqa: E402  # the path comes first
from data_transformer.settings import Settings as TableSettings  # noqa: E402
from image_processor import core  # noqa: E402
from image_processor.settings import Settings as ImageSettings  # noqa: E402
from tests.performance.processes import LocalSource  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS: Final = 5


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = folder / "photo.jpg"
        noise = Image.effect_noise((1000, 750), 60).resize((4000, 3000)).convert("RGB")
        noise.save(photo, quality=90)
        table = folder / "table.csv"
        with table.open("w") as file:
            file.write("id,name,amount,when,flag\n")
            file.writelines(
                f"{n},customer {n % 977},{n * 0.37:.2f},2026-01-{n % 28 + 1:02},{n % 2 == 0}\n"
                for n in range(25_000)
            )
        images, tables = ImageSettings(), Transformer(TableSettings())
        for path, run in (
            (photo, lambda source, to: core.process(source, to, settings=images)),
            (table, tables),
        ):
            milliseconds = 1000 * statistics.median(_seconds(run, path) for _ in range(_ROUNDS))
            size = path.stat().st_size / 1e6
            print(f"{path.name}: {size:.1f} MB, {milliseconds:.0f} ms of one processor")


def _seconds(run: Callable[[LocalSource, Path], object], path: Path) -> float:
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        started = time.process_time()
        run(LocalSource(path), Path(name))
        return time.process_time() - started


if __name__ == "__main__":
    main()
