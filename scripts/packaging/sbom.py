"""Write a CycloneDX 1.6 bill of materials: plain JSON, the same on every run.

cyclonedx-python-lib, with which the tests check it, writes the time of the run into each bill.
"""

import uuid
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import Any
from zipfile import ZipFile

_NAMESPACE = uuid.UUID("8f4c0d3e-5b0a-5e0e-9a57-6a3f4f2c3d11")


@dataclass(frozen=True, order=True)
class Component:
    """A dependency in a zip; licenses as CycloneDX writes them, an SPDX expression or a name."""

    name: str
    version: str
    licenses: tuple[dict[str, Any], ...] = ()

    @property
    def purl(self) -> str:
        """The package URL, by which scanners find a component's vulnerabilities."""
        return f"pkg:pypi/{self.name.lower().replace('_', '-')}@{self.version}"


def read_components(archive: ZipFile) -> list[Component]:
    """Read the components of a zip, sorted by name."""
    names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    return sorted(read_component(archive.read(name).decode()) for name in names)


def read_component(metadata: str) -> Component:
    """Read a component from the METADATA file of its wheel."""
    fields = HeaderParser().parsestr(metadata)
    licenses: tuple[dict[str, Any], ...] = ()
    if expression := fields["License-Expression"]:
        licenses = ({"expression": expression},)
    else:
        classified = [c for c in fields.get_all("Classifier", []) if c.startswith("License :: ")]
        name = classified[0].rpartition(" :: ")[2] if classified else fields["License"]
        if name:
            licenses = ({"license": {"name": name.partition("\n")[0]}},)
    return Component(fields["Name"], fields["Version"], licenses)


def bill_of_materials(record: dict[str, Any], components: list[Component]) -> dict[str, Any]:
    """Return the bill of a zip, given what its sidecar says of function, architecture and hash."""
    reference = f"{record['function']}-{record['architecture']}"
    described = {
        "type": "application",
        "bom-ref": reference,
        "name": record["function"],
        "hashes": [{"alg": "SHA-256", "content": record["sha256"]}],
        "properties": [{"name": "aws:lambda:architecture", "value": record["architecture"]}],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, record['sha256'])}",
        "version": 1,
        "metadata": {"component": described},
        "components": [
            {
                "type": "library",
                "bom-ref": component.purl,
                "name": component.name,
                "version": component.version,
                "purl": component.purl,
            }
            | ({"licenses": list(component.licenses)} if component.licenses else {})
            for component in components
        ],
        "dependencies": [
            {"ref": reference, "dependsOn": [component.purl for component in components]}
        ],
    }
