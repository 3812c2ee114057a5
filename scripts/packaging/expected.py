"""The committed hashes of the zips, which tell whether two machines build the same.

`functions/zips.sha256` has the format of sha256sum, so that this works too:
`cd build && sha256sum --check ../functions/zips.sha256`. A comment above each hash names the inputs
that it was built from. With them a difference has one of two causes, and the message says which:
the inputs are others, so the file is stale; or the same inputs gave other bytes.
"""

import platform
from collections.abc import Sequence
from pathlib import Path

from scripts.packaging import outputs
from scripts.packaging.errors import PackagingError

FILE = Path("functions", "zips.sha256")
_INPUTS = "# from inputs "


def update(root: Path, records: Sequence[outputs.Record]) -> None:
    """Write the hashes of all zips."""
    lines = [
        f"{_INPUTS}{record['inputs_sha256']}\n{record['sha256']}  {record['zip']}\n"
        for record in sorted(records, key=lambda record: str(record["zip"]))
    ]
    outputs.replace(root / FILE, "".join(lines).encode())


def check(root: Path, records: Sequence[outputs.Record]) -> None:
    """Compare zips with the committed hashes.

    Raises:
        PackagingError: A zip is not what was committed, or no hash was.
    """
    committed = _read(root / FILE)
    stale, different = [], []
    for record in records:
        inputs, sha256 = committed.get(record["zip"], ("", ""))
        if inputs != record["inputs_sha256"]:
            stale.append(record["zip"])
        elif sha256 != record["sha256"]:
            hashes = f"built {record['sha256'][:16]}, expected {sha256[:16]}"
            different.append(f"  {record['zip']}: {hashes}")
    if different:
        listed = "\n".join(different)
        msg = (
            f"The same inputs gave other bytes than {FILE} says:\n{listed}\n"
            f"This is Python {platform.python_version()} on {platform.machine()}. A plan made here "
            "would show changes that a plan made elsewhere does not: find the files that differ "
            "with `unzip -v`, and repair the packager."
        )
        raise PackagingError(msg)
    if stale:
        msg = (
            f"{FILE} was written for other sources, locks, settings or packager: "
            f"{', '.join(stale)}. Run `make package-hashes` and commit the file."
        )
        raise PackagingError(msg)


def _read(path: Path) -> dict[str, tuple[str, str]]:
    """Return inputs and hash of each zip."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    committed = {}
    inputs = ""
    for line in lines:
        if line.startswith(_INPUTS):
            inputs = line.removeprefix(_INPUTS)
        else:
            sha256, _, name = line.partition("  ")
            committed[name] = inputs, sha256
    return committed
