"""The pure core: a table in, typed files out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_transformer import delimited, documents
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from pathlib import Path

    from data_transformer.settings import Settings
    from uploads.processing import Processed, Source


class Transformer:
    """Turns an uploaded table into files; see `uploads.processing.Core`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, source: Source, directory: Path) -> Processed:
        """Process a CSV or JSON file, told apart by its name.

        Raises:
            RejectedError: the content is at fault.
        """
        if not source.size:
            raise RejectedError("empty_file", "The file is empty.")
        if source.name.lower().endswith(".json"):
            return documents.transform(source, directory, self._settings)
        return delimited.transform(source, directory, self._settings)
