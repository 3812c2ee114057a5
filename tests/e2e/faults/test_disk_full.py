"""A full disk fails the event, which is delivered again; it never rejects the upload."""

import io
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest
from PIL import Image

from data_transformer.core import Transformer
from data_transformer.settings import Settings as TableSettings
from image_processor.core import process
from image_processor.settings import Settings as ImageSettings
from scripts.local_cloud import samples
from uploads.processing import Core


@dataclass(frozen=True)
class File:
    """An upload that is a local file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        return io.BytesIO(self.path.read_bytes())

    def save(self, path: Path) -> Path:
        shutil.copyfile(self.path, path)
        return path


@contextmanager
def no_file_above(limit: int) -> Iterator[None]:
    """Let every write beyond `limit` bytes of a file fail, as on a full disk.

    It is the nearest that a test can do without the rights to mount a small disk: the error number
    is another one, EFBIG in place of ENOSPC, the place where it strikes is the same.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def photo(folder: Path) -> Path:
    return samples.write(folder)[0]


def noise(folder: Path) -> Path:
    """Write a picture whose thumbnails are larger than itself."""
    path = folder / "noise.png"
    noise = Image.frombytes("1", (800, 400), os.urandom(40_000))
    noise.save(path, optimize=True)
    return path


def rows(folder: Path) -> Path:
    """Write a table, which is never stored: it flows through a pipe."""
    path = folder / "rows.csv"
    lines = [f"{i},{os.urandom(12).hex()}" for i in range(5_000)]
    path.write_text("\n".join(["i,a", *lines]))
    return path


def document(folder: Path) -> Path:
    return samples.write(folder)[3]


IMAGES = partial(process, settings=ImageSettings())
TABLES = Transformer(TableSettings())


@pytest.mark.parametrize(
    ("core", "make"),
    [(IMAGES, photo), (IMAGES, noise), (TABLES, rows), (TABLES, document)],
    ids=["photo", "thumbnails", "table", "document"],
)
def test_a_full_disk_is_never_the_files_fault(
    core: Core, make: Callable[[Path], Path], tmp_path: Path
) -> None:
    upload = File(make(tmp_path))
    made = core(upload, tmp_path)
    largest = max([output.path.stat().st_size for output in made.outputs])
    limits = [0, 1, 1000, largest // 4, largest // 2, largest - 1]
    for limit in limits:
        folder = tmp_path / str(limit)
        folder.mkdir()
        # Not a RejectedError, which would be the end of the upload.
        with pytest.raises(OSError, match="too large"), no_file_above(limit):
            core(upload, folder)
