"""Write a CycloneDX bill of materials: plain JSON, the same on every run."""

import uuid
from dataclasses import dataclass
from typing import Any

_NAMESPACE = uuid.UUID("8f4c0d3e-5b0a-5e0e-9a57-6a3f4f2c3d11")


@dataclass(frozen=True, order=True)
class Component:
    """A dependency in a zip."""

    name: str
    version: str
    license: str | None
    # The license is an SPDX expression, which scanners read, and not some name.
    is_expression: bool = False

    @property
    def purl(self) -> str:
        """The package URL, by which scanners find a component's vulnerabilities."""
        return f"pkg:pypi/{self.name.lower().replace('_', '-')}@{self.version}"


def read_component(metadata: str) -> Component:
    """Read a component from the METADATA file of its wheel."""
    fields: dict[str, str] = {}
    classifiers = []
    for line in metadata.splitlines():
        if line.startswith("Classifier: License :: "):
            classifiers.append(line.rpartition(" :: ")[2])
        name, colon, value = line.partition(": ")
        if colon and not line.startswith(" "):
            fields.setdefault(name, value)
    name, version = fields["Name"], fields["Version"]
    if expression := fields.get("License-Expression"):
        return Component(name, version, expression, is_expression=True)
    return Component(name, version, next(iter(classifiers), None) or fields.get("License"))


def bill_of_materials(
    function: str, architecture: str, sha256: str, components: list[Component]
) -> dict[str, Any]:
    """Return the bill of a zip as CycloneDX 1.6."""
    reference = f"{function}-{architecture}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, sha256)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": reference,
                "name": function,
                "hashes": [{"alg": "SHA-256", "content": sha256}],
                "properties": [{"name": "aws:lambda:architecture", "value": architecture}],
            }
        },
        "components": [
            {
                "type": "library",
                "bom-ref": component.purl,
                "name": component.name,
                "version": component.version,
                "purl": component.purl,
                **_licenses(component),
            }
            for component in components
        ],
        "dependencies": [
            {"ref": reference, "dependsOn": [component.purl for component in components]}
        ],
    }


def _licenses(component: Component) -> dict[str, Any]:
    if component.license is None:
        return {}
    if component.is_expression:
        return {"licenses": [{"expression": component.license}]}
    return {"licenses": [{"license": {"name": component.license}}]}
