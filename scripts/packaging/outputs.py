"""The files under build/: what they are called, what is in them, and whether they are current.

This runs on every call, also when there is nothing to do, so it imports little.
"""

import base64
import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from scripts.packaging.project import RUNTIME, Package

SCHEMA = 1
MANIFEST = "manifest.json"

type Record = dict[str, Any]


def is_current(build: Path, package: Package) -> bool:
    """Tell whether a zip was built from exactly these inputs and is still what was built.

    The zip is not hashed: it is written before its sidecar, so one that was changed afterwards is
    newer than the sidecar or has another size.
    """
    try:
        sidecar = build / f"{package.name}.json"
        record = json.loads(sidecar.read_bytes())
        zipped = (build / record["zip"]).stat()
        return bool(
            (record["schema"], record["inputs_sha256"]) == (SCHEMA, package.inputs_sha256)
            and record["zip_bytes"] == zipped.st_size
            and zipped.st_mtime_ns <= sidecar.stat().st_mtime_ns
            and (build / record["bom"]).exists()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def describe(package: Package, content: bytes) -> Record:
    """Return what is known of a zip by its bytes; scripts/package.py explains the fields."""
    digest = hashlib.sha256(content)
    sha256 = digest.hexdigest()
    return {
        "schema": SCHEMA,
        "function": package.function,
        "architecture": package.architecture,
        "runtime": RUNTIME,
        "handler": f"{package.function}.index.handler",
        "sha256": sha256,
        "sha256_base64": base64.b64encode(digest.digest()).decode(),
        "inputs_sha256": package.inputs_sha256,
        "zip": f"{package.name}.zip",
        "zip_bytes": len(content),
        "s3_key": f"{package.function}/{package.architecture}/{sha256}.zip",
        "bom": f"{package.name}.cdx.json",
    }


def publish(build: Path, content: bytes, record: Record, bill: Record) -> None:
    """Put a zip and what describes it in place.

    The sidecar goes away first and comes back last. Interrupted between, a build leaves a zip
    without a sidecar, which Terraform refuses, never a zip that differs from its sidecar.
    """
    build.mkdir(parents=True, exist_ok=True)
    sidecar = (build / record["zip"]).with_suffix(".json")
    sidecar.unlink(missing_ok=True)
    replace(build / record["zip"], content)
    replace(build / record["bom"], to_json(bill))
    replace(sidecar, to_json(record))


def write_manifest(build: Path) -> None:
    """Write the list of all sidecars, unless it is there already."""
    records = []
    for path in sorted(build.glob("*.json")):
        with contextlib.suppress(ValueError):
            record = json.loads(path.read_bytes())
            if "inputs_sha256" in record and path.with_suffix(".zip").exists():
                records.append(record)
    content = to_json({"schema": SCHEMA, "runtime": RUNTIME, "packages": records})
    manifest = build / MANIFEST
    if not manifest.exists() or manifest.read_bytes() != content:
        replace(manifest, content)


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
