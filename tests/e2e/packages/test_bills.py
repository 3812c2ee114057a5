"""Each zip's bill of materials is CycloneDX, and names what is in the zip."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts import ROOT
from scripts.packaging.project import host_architecture, list_functions

if TYPE_CHECKING:
    from pathlib import Path


def test_bills_are_valid_and_complete(packages: Path) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for function in list_functions(ROOT / "functions"):
        path = packages / f"{function}-{host_architecture()}.cdx.json"
        text = path.read_text()
        assert validator.validate_str(text) is None, path
        bill = json.loads(text)
        record = json.loads(path.with_name(path.name.replace(".cdx", "")).read_bytes())
        assert bill["metadata"]["component"]["hashes"][0]["content"] == record["sha256"]
        versions = {part["name"]: part["version"] for part in bill["components"]}
        assert versions == record["dependencies"]
        with zipfile.ZipFile(packages / record["zip"]) as archive:
            installed = [name for name in archive.namelist() if name.endswith("/METADATA")]
        assert len(installed) == len(versions)
