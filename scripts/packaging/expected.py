"""The committed hashes of the zips, which tell whether two machines build the same.

`functions/zips.sha256` has the format of sha256sum, so that this works too:
`cd build && sha256sum --check ../functions/zips.sha256`.
"""

from collections.abc import Iterable
from pathlib import Path

from scripts.packaging import outputs
from scripts.packaging.errors import PackagingError

FILE = Path("functions", "zips.sha256")


def update(root: Path, records: Iterable[outputs.Record]) -> None:
    """Write the hashes of the zips."""
    lines = sorted((record["zip"], record["sha256"]) for record in records)
    content = "".join(f"{sha256}  {name}\n" for name, sha256 in lines)
    outputs.replace(root / FILE, content.encode())


def check(root: Path, records: Iterable[outputs.Record]) -> None:
    """Compare zips with the committed hashes.

    Raises:
        PackagingError: A zip is not what was committed, or no hash was.
    """
    path = root / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    expected = {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}
    wrong = [
        f"  {record['zip']}: built {record['sha256'][:16]}, "
        f"expected {expected.get(record['zip'], 'nothing')[:16]}"
        for record in records
        if expected.get(record["zip"]) != record["sha256"]
    ]
    if wrong:
        listed = "\n".join(wrong)
        msg = (
            f"These zips differ from {FILE}:\n{listed}\n"
            "After a change of sources, locks or packager: run `make package-hashes` and commit "
            "the file. Without one, two machines build differently, which is a bug of the packager."
        )
        raise PackagingError(msg)
