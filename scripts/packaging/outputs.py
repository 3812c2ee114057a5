"""The files under build/: their names and contents, and whether they are current.

This runs on every call, also when there is nothing to do, so it imports little.
"""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from scripts.packaging.project import RUNTIME, Package

type Record = dict[str, Any]


def is_current(build: Path, package: Package) -> bool:
    """Return whether a zip was built from exactly these inputs and is unchanged since.

    The zip is not hashed: it is written before its record, so one that was changed afterwards is
    newer than the record or has another size.
    """
    try:
        path = build / f"{package.name}.json"
        record = json.loads(path.read_bytes())
        zipped = (build / record["zip"]).stat()
        return bool(
            record["inputs_sha256"] == package.inputs_sha256
            and record["zip_bytes"] == zipped.st_size
            and zipped.st_mtime_ns <= path.stat().st_mtime_ns
            and path.with_suffix(".cdx.json").exists()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def describe(package: Package, content: bytes) -> Record:
    """Return the record of a zip; docs/packaging.md explains the fields."""
    digest = hashlib.sha256(content)
    return {
        "function": package.function,
        "architecture": package.architecture,
        "runtime": RUNTIME,
        "handler": f"{package.function}.index.handler",
        "sha256": digest.hexdigest(),
        "sha256_base64": base64.b64encode(digest.digest()).decode(),
        "inputs_sha256": package.inputs_sha256,
        "zip": f"{package.name}.zip",
        "zip_bytes": len(content),
        "s3_key": f"{package.function}/{package.architecture}/{digest.hexdigest()}.zip",
    }


def write(build: Path, content: bytes, record: Record, bill: Record) -> None:
    """Put a zip in place, with its record and its bill of materials.

    The record goes away first and comes back last. Interrupted between, a build leaves a zip
    without a record, which Terraform refuses, never a zip that differs from its record.
    """
    build.mkdir(parents=True, exist_ok=True)
    zipped = build / record["zip"]
    zipped.with_suffix(".json").unlink(missing_ok=True)
    replace(zipped, content)
    replace(zipped.with_suffix(".cdx.json"), to_json(bill))
    replace(zipped.with_suffix(".json"), to_json(record))


def replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old one or the new one, never a part."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def to_json(value: Record) -> bytes:
    """Return readable JSON that is the same for equal values."""
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
