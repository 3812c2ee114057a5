"""Settings of the data transformer."""

from dataclasses import dataclass, fields
from typing import Annotated, Literal

from uploads.settings import FromEnvironment, Setting, SettingError
from uploads.table_options import TableOptions

Names = Literal["snake_case", "original"]


@dataclass(frozen=True, slots=True)
class Settings(FromEnvironment):
    """Settings of the data transformer."""

    output_formats: Annotated[
        tuple[Literal["parquet", "jsonl", "csv", "xlsx"], ...],
        Setting("files that are made of a table"),
    ] = ("parquet",)
    max_rejected_rows_share: Annotated[
        float,
        Setting(
            "share of rejected rows above which the file is rejected; a column has the type of "
            "all but this share of its values",
            at_least=0,
            at_most=1,
        ),
    ] = 0.1
    max_rejected_rows: Annotated[
        int,
        Setting(
            "number of rejected rows above which the file is rejected, for any share",
            at_least=0,
            at_most=1_000_000,
        ),
    ] = 100_000
    memory_limit_mb: Annotated[
        int,
        Setting(
            "MB of memory_mb that DuckDB may use; raise it with that",
            at_least=50,
            at_most=10_240,
        ),
    ] = 100
    column_names: Annotated[
        Names,
        Setting("names of the columns: words in lower case, joined by _, or those of the file"),
    ] = "snake_case"
    table_options: Annotated[
        str,
        Setting(
            "how tables are read where the upload does not say it, as JSON, see below",
            members=tuple(one.name for one in fields(TableOptions)),
        ),
    ] = ""
    max_decompressed_mb: Annotated[
        int,
        Setting("MiB that a compressed file may hold", at_least=1, at_most=100_000),
    ] = 2048

    def __post_init__(self) -> None:
        """Refuse options that would reject every table.

        Raises:
            SettingError: the options are none.
        """
        try:
            TableOptions.from_text(self.table_options)
        except ValueError as error:
            raise SettingError(f"TABLE_OPTIONS is {self.table_options!r}: {error}") from error
