"""Settings of the function, read from the environment once per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMATS: Final = ("parquet", "jsonl", "csv")


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides about tables.

    Attributes:
        output_formats: files to make, some of `FORMATS`.
        max_rejected_rows_share: share of bad rows, 0 to 1, above which a file is rejected as a
            whole. A column has the type that all but this share of its values have.
        max_rejected_rows: number of bad rows above which a file is rejected, whatever the share;
            bounds the list of rejects.
        memory_limit_mb: what DuckDB may use, in MB; the rest of the function's memory is for
            Python, the libraries and DuckDB's own overhead.
    """

    output_formats: tuple[str, ...] = ("parquet",)
    max_rejected_rows_share: float = 0.1
    max_rejected_rows: int = 100_000
    memory_limit_mb: int = 100

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings; each has the attribute's name in capitals, unset means the default.

        Raises:
            ValueError: a value is not allowed; says which, and what is.
        """
        default = cls()
        formats = environment.get("OUTPUT_FORMATS", ",".join(default.output_formats))
        return cls(
            output_formats=_formats(formats),
            max_rejected_rows_share=_number(
                environment,
                "MAX_REJECTED_ROWS_SHARE",
                parse=float,
                default=default.max_rejected_rows_share,
                low=0,
                high=1,
            ),
            max_rejected_rows=_number(
                environment,
                "MAX_REJECTED_ROWS",
                parse=int,
                default=default.max_rejected_rows,
                low=0,
                high=1_000_000,
            ),
            memory_limit_mb=_number(
                environment,
                "MEMORY_LIMIT_MB",
                parse=int,
                default=default.memory_limit_mb,
                low=50,
                high=10_240,
            ),
        )


def _formats(text: str) -> tuple[str, ...]:
    formats = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not set(formats) <= set(FORMATS):
        raise ValueError(f"OUTPUT_FORMATS is {text!r}: give some of {', '.join(FORMATS)}")
    return formats


def _number[N: (int, float)](
    environment: Mapping[str, str],
    name: str,
    *,
    parse: Callable[[str], N],
    default: N,
    low: int,
    high: int,
) -> N:
    text = environment.get(name)
    if text is None:
        return default
    try:
        number = parse(text)
    except ValueError:
        number = None
    if number is None or not low <= number <= high:
        raise ValueError(f"{name} is {text!r}: give a number from {low} to {high}")
    return number
