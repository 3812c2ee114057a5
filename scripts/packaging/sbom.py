"""Write a CycloneDX 1.6 bill of materials: plain JSON, the same on every run.

The tests check it with cyclonedx-python-lib, which would add 0.4 s to each change of a source file.
"""

import uuid
from email.parser import HeaderParser
from typing import Any
from zipfile import ZipFile

type Component = dict[str, Any]

_NAMESPACE = uuid.UUID("8f4c0d3e-5b0a-5e0e-9a57-6a3f4f2c3d11")


def read_components(archive: ZipFile) -> list[Component]:
    """Read the dependencies in a zip, sorted by name."""
    names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    components = [read_component(archive.read(name).decode()) for name in names]
    return sorted(components, key=lambda component: str(component["name"]))


def read_component(metadata: str) -> Component:
    """Describe a dependency by the METADATA file of its wheel."""
    fields = HeaderParser().parsestr(metadata)
    # The package URL is how scanners find the vulnerabilities of a component.
    purl = f"pkg:pypi/{fields['Name'].lower().replace('_', '-')}@{fields['Version']}"
    named = {"name": fields["Name"], "version": fields["Version"], "purl": purl, "bom-ref": purl}
    component: Component = {"type": "library", **named}
    classified = [c for c in fields.get_all("Classifier", []) if c.startswith("License :: ")]
    if expression := fields["License-Expression"]:
        component["licenses"] = [{"expression": expression}]
    elif name := classified[0].rpartition(" :: ")[2] if classified else fields["License"]:
        component["licenses"] = [{"license": {"name": name.partition("\n")[0]}}]
    return component


def bill_of_materials(record: dict[str, Any], components: list[Component]) -> dict[str, Any]:
    """Return the bill of a zip, given its record."""
    reference = f"{record['function']}-{record['architecture']}"
    described = {
        "type": "application",
        "bom-ref": reference,
        "name": record["function"],
        "hashes": [{"alg": "SHA-256", "content": record["sha256"]}],
        "properties": [{"name": "aws:lambda:architecture", "value": record["architecture"]}],
    }
    depends_on = [component["bom-ref"] for component in components]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, record['sha256'])}",
        "version": 1,
        "metadata": {"component": described},
        "components": components,
        "dependencies": [{"ref": reference, "dependsOn": depends_on}],
    }
