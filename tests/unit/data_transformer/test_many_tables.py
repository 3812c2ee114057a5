from __future__ import annotations

import os
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from data_transformer.core import Transformer
from data_transformer.settings import Settings
from tests.unit.data_transformer.conftest import Bytes
from uploads.processing import RejectedError

TABLE = Bytes(b"n\n" + b"1\n" * 30 + b"word\n", "table.csv")
DOCUMENT = Bytes(b'{"n": 1}', "table.json")
BROKEN = Bytes(b'{"n": ', "table.json")


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_200_invocations_give_back_memory_and_files(tmp_path: Path) -> None:
    transformer = Transformer(Settings())
    uploads = cycle([TABLE, *[DOCUMENT, BROKEN, BROKEN] * 7])

    def run(times: int) -> None:
        for upload in islice(uploads, times):
            with TemporaryDirectory(dir=tmp_path) as name, suppress(RejectedError):
                transformer(upload, Path(name))

    run(50)
    memory, files = _resident_bytes(), _open_files()
    run(150)
    assert _resident_bytes() - memory < 16 * 1024 * 1024
    assert _open_files() == files
