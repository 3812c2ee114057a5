"""GeoJSON: a row is a feature, its properties are columns, its geometry is one.

The features become objects with the geometry as a text, which `json_reader` reads like others.
DuckDB makes of these texts a column of geometries, which it writes as GeoParquet.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

GEOMETRY: Final = "geometry"
# How deep the positions of a geometry lie in its coordinates.
_DEPTHS: Final = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
_COLLECTION: Final = "GeometryCollection"
_DEEPEST: Final = 15  # collections in collections, for DuckDB
_LARGEST: Final = 1.7e308
_TYPE: Final = re.compile(r'"type"\s*:\s*"FeatureCollection"')
_IN_FEATURE: Final = re.compile(r'"type"\s*:\s*"Feature"')
_FEATURES: Final = re.compile(r'"features"\s*:\s*\[')
# Longitude and latitude on WGS 84, the default of GeoJSON.
_USUAL_CRS: Final = re.compile(r"CRS84$|EPSG:+4326$", re.IGNORECASE)


def is_collection(head: str) -> bool:
    """Return whether a JSON text is a collection of features, judged by its beginning."""
    return head.startswith("{") and bool(_TYPE.search(head) and _FEATURES.search(head))


def shape_of_features(head: str) -> str:
    """Return "one" for a text that is one feature, "lines" for one in each line, else nothing.

    Args:
        head: beginning of the text.
    """
    if not head.startswith("{") or not _IN_FEATURE.search(head):
        return ""
    try:
        first, end = json.JSONDecoder().raw_decode(head)
    except ValueError:  # broken, or longer than the beginning
        return ""
    if first.get("type") != "Feature" or GEOMETRY not in first:
        return ""
    if not head[end:].strip():
        return "one"
    is_line = "\n" not in head[:end] and head[end:].lstrip(" \t\r").startswith("\n")
    return "lines" if is_line else ""


def members_before(text: str) -> tuple[dict[str, Any], int]:
    """Return the members of a collection before its features, and where their array begins.

    Raises:
        ValueError: the text is broken before it.
    """
    decoder = json.JSONDecoder()
    members: dict[str, Any] = {}
    place = text.index("{") + 1
    try:
        while True:
            name, place = decoder.raw_decode(text, _pass(text, place, ","))
            place = _pass(text, place, ":")
            if name == "features":
                return members, place
            members[name], place = decoder.raw_decode(text, place)
    except IndexError as error:
        raise ValueError("the text ends before the features") from error


def _pass(text: str, place: int, mark: str) -> int:
    """Return the place behind a mark and the blanks around it."""
    while text[place] in " \t\r\n" + mark:
        place += 1
    return place


def other_crs(members: dict[str, Any]) -> str | None:
    """Return the name of the reference system of a collection that says another than usual."""
    try:
        name = str(members["crs"]["properties"]["name"])
    except (TypeError, KeyError):
        return None
    return None if _USUAL_CRS.search(name) else name


def flattened(text: str) -> str:
    """Return a feature as the text of an object: its properties, with the geometry as text.

    Raises:
        ValueError: it is not a feature; the message says why.
    """
    feature = json.loads(text)
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise ValueError("it is not a feature")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise ValueError("its properties are not an object")  # noqa: TRY004 - one kind of fault for all
    geometry = feature.get("geometry")
    if geometry is not None:
        _check(geometry, 0)
    row = {"id": feature["id"]} if "id" in feature and "id" not in properties else {}
    row |= {_free(name): value for name, value in properties.items()}
    row[GEOMETRY] = None if geometry is None else json.dumps(geometry)
    return json.dumps(row, ensure_ascii=False)


def _free(name: str) -> str:
    """Return the name of a property; one of the name of the geometry has another."""
    return f"{name}_property" if name.lower() == GEOMETRY else name


def _check(geometry: Any, depth: int) -> None:  # noqa: ANN401 - any JSON
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind == _COLLECTION and depth < _DEEPEST:
        parts = geometry.get("geometries")
        if not isinstance(parts, list):
            raise ValueError("its geometry collection has no geometries")
        for part in parts:
            _check(part, depth + 1)
        return
    if kind not in _DEPTHS:
        raise ValueError(f"its geometry is of the type {kind!r}")
    coordinates = geometry.get("coordinates")
    if coordinates != [] and not _are_positions(coordinates, _DEPTHS[kind]):
        raise ValueError(f"the coordinates of its {kind} are not those of one")


def _are_positions(value: Any, depth: int) -> bool:  # noqa: ANN401 - any JSON
    if not isinstance(value, list):
        return False
    if depth:
        return all(_are_positions(part, depth - 1) for part in value)
    return len(value) > 1 and all(
        isinstance(number, int | float)
        and not isinstance(number, bool)
        and not math.isnan(number)
        and abs(number) < _LARGEST
        for number in value
    )
