"""The pure core: a table in, typed files out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from data_transformer import csv_reader, json_reader, parquet_reader, workbook_reader
from data_transformer.compressed import ENDINGS, Decompressed, NotCompressedError
from data_transformer.contents import BOOK, PARQUET, OtherFormatError
from uploads.processing import RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from data_transformer.settings import Settings
    from uploads.processing import Processed, Source

    type Reader = Callable[[Source, Path, Settings], Processed]

_FORMS: Final[dict[tuple[str, ...], str]] = {
    **{(ending,): form for form, ending in ENDINGS.items()},
    (".geojson", ".json", ".jsonl", ".ndjson"): "JSON",
    (".ods", ".xls", ".xlsm", ".xlsx"): BOOK,
    (".parquet",): PARQUET,
}
_READERS: Final[dict[str, Reader]] = {
    "CSV": csv_reader.transform,
    "JSON": json_reader.transform,
    BOOK: workbook_reader.transform,
    PARQUET: parquet_reader.transform,
}


class Transformer:
    """Turns an uploaded table into files; see `uploads.processing.Core`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, source: Source, directory: Path) -> Processed:
        """Process a table of the format implied by the file's name.

        The content decides, not the name; a warning reports a difference.

        Raises:
            RejectedError: the content is at fault.
        """
        if not source.size:
            raise RejectedError("empty_file", "The file is empty.")
        form = _form_by_name(source.name.lower())
        try:
            return self._read(form, source, directory)
        except OtherFormatError as other:
            found = other.form
        try:
            made = self._read(found, source, directory)
        except OtherFormatError as again:
            raise RejectedError(
                "not_a_table",
                f"The file begins like {found} and like {again.form}, and is neither.",
            ) from again
        warning = Problem(
            "other_format",
            f"The file is {found}, although its name says otherwise; it was read so.",
        )
        return replace(made, warnings=[warning, *made.warnings])

    def _read(self, form: str, source: Source, directory: Path) -> Processed:
        if form not in ENDINGS:
            return _READERS[form](source, directory, self._settings)
        # A file that decompresses to itself would be decompressed for ever.
        if isinstance(source, Decompressed):
            raise RejectedError("not_a_table", "The file is compressed twice: compress it once.")
        packed = Decompressed(source, form, self._settings.max_decompressed_mb)
        try:
            made = self(packed, directory)
        except NotCompressedError as other:
            found = other.form or _form_by_name(packed.name.lower())
            raise OtherFormatError(found) from other
        except RejectedError as error:
            if packed.is_cut and error.code == "empty_file":
                raise RejectedError(
                    "damaged_compression",
                    "The compressed data end before anything can be read. Compress the file again.",
                ) from error
            raise
        warnings = list(made.warnings)
        if packed.is_cut:
            text = "The compressed data end before their end; the table holds the rows before that."
            warnings.insert(0, Problem("cut_compression", text))
        if packed.has_rest:
            text = (
                "Other bytes follow the compressed data; they were passed over. If rows are "
                "missing, compress the file again."
            )
            warnings.insert(0, Problem("rest_of_compression", text))
        return replace(made, warnings=warnings)


def _form_by_name(name: str) -> str:
    return next((form for endings, form in _FORMS.items() if name.endswith(endings)), "CSV")
