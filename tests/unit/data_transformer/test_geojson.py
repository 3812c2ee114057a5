"""GeoJSON: a row is a feature; pyarrow reads the GeoParquet that is made of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest

from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.data_transformer.conftest import Outcome

    type Transform = Callable[..., Outcome]

POINT = {"type": "Point", "coordinates": [1, 2.5]}


def feature(geometry: Any = POINT, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: Any, **members: Any) -> str:
    return json.dumps({"type": "FeatureCollection", **members, "features": list(features)})


def texts(outcome: Outcome) -> list[str | None]:
    table = duckdb.read_parquet(f"{outcome.directory}/table.parquet")
    return [row[0] for row in table.select("geometry::VARCHAR").fetchall()]


def codes(outcome: Outcome) -> list[str]:
    return [warning.code for warning in outcome.processed.warnings]


def test_properties_are_columns_and_the_geometry_is_one(transform: Transform) -> None:
    text = collection(
        feature(name="a", tags=[{"k": 1}]), feature(None, name="b", tags=[]), name="places"
    )
    outcome = transform(text, "a.geojson")
    assert list(outcome.types) == ["name", "tags", "geometry"]
    assert texts(outcome) == ["POINT (1 2.5)", None]
    assert codes(outcome) == []
    assert outcome.processed.details["format"] == "geojson"


def test_other_readers_find_the_geometries(transform: Transform) -> None:
    outcome = transform(collection(feature(n=1)), "a.geojson")
    reported = json.loads(pq.read_schema(outcome.directory / "table.parquet").metadata[b"geo"])
    column = reported["columns"][reported["primary_column"]]
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["Point"])
    assert column["bbox"] == [1, 2.5, 1, 2.5]
    [value] = pq.read_table(outcome.directory / "table.parquet")["geometry"].to_pylist()
    assert value[:5] == b"\1\1\0\0\0"


@pytest.mark.parametrize(
    ("geometry", "text"),
    [
        ({"type": "Point", "coordinates": [1, 2, 3]}, "POINT Z (1 2 3)"),
        ({"type": "MultiPoint", "coordinates": [[1, 2]]}, "MULTIPOINT (1 2)"),
        ({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "LINESTRING (1 2, 3 4)"),
        ({"type": "Polygon", "coordinates": []}, "POLYGON EMPTY"),
        (
            {"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 0]]]]},
            "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))",
        ),
        (
            {"type": "GeometryCollection", "geometries": [POINT]},
            "GEOMETRYCOLLECTION (POINT (1 2.5))",
        ),
    ],
)
def test_geometries_of_every_type(transform: Transform, geometry: Any, text: str) -> None:
    assert texts(transform(collection(feature(geometry)), "a.geojson")) == [text]


def test_ids_and_properties_of_the_same_names(transform: Transform) -> None:
    one = feature(Geometry="x") | {"id": 7}
    two = feature(id=8, Geometry="y") | {"id": 9}
    outcome = transform(collection(one, two), "a.geojson")
    assert list(outcome.types) == ["id", "geometry_property", "geometry"]
    table = duckdb.read_parquet(f"{outcome.directory}/table.parquet")
    assert table.select("id, geometry_property").fetchall() == [(7, "x"), (8, "y")]


def test_under_the_name_of_json_it_is_reported(transform: Transform) -> None:
    assert codes(transform(collection(feature(n=1)), "a.json")) == ["read_as_geojson"]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_feature_may_stand_alone(transform: Transform, indent: int | None) -> None:
    outcome = transform(json.dumps(feature(n=1), indent=indent) + "\n", "a.geojson")
    assert (texts(outcome), codes(outcome)) == (["POINT (1 2.5)"], [])


def test_features_may_be_lines(transform: Transform) -> None:
    lines = [json.dumps(feature(n=number)) for number in range(30)]
    lines[20:20] = ['{"type": "Feature", "geometry": null, }', '{"type": "Point"}']
    outcome = transform("\n".join(lines), "a.jsonl")
    assert len(outcome.rows) == 30
    assert codes(outcome) == ["bad_rows", "read_as_geojson"]
    assert [(one["line"], one["reason"]) for one in outcome.rejects] == [
        (21, "a name in double quotes is expected, at character 39"),
        (22, "it is not a feature"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([feature(n=1)]),
        json.dumps({"type": "Feature", "name": "of a product"}),
        json.dumps(feature(n=1), indent=1) + "\n" + json.dumps(feature(n=2), indent=1),
    ],
)
def test_other_json_is_read_as_such(transform: Transform, text: str) -> None:
    assert "no_feature_collection" in codes(transform(text, "a.geojson"))


def test_a_broken_feature_is_rejected(transform: Transform) -> None:
    with pytest.raises(RejectedError, match="invalid_json"):
        transform('{"type": "Feature", "geometry": nul}', "a.geojson")


def test_the_members_may_stand_behind_the_features(transform: Transform) -> None:
    text = collection(feature(n=1))[:-1] + ', "bbox": [1, 2, 3, 4]}\n'
    assert len(transform(text, "a.geojson").rows) == 1


def test_another_reference_system_is_reported_and_not_claimed(transform: Transform) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    outcome = transform(collection(feature(n=1), crs=crs), "a.geojson")
    assert codes(outcome) == ["other_crs"]
    reported = json.loads(pq.read_schema(outcome.directory / "table.parquet").metadata[b"geo"])
    assert reported["columns"]["geometry"]["crs"] is None
    usual = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    assert codes(transform(collection(feature(n=1), crs=usual), "a.geojson")) == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (5, "it is not a feature"),
        ({"type": "Feature", "properties": [1]}, "its properties are not an object"),
        (feature({"type": "Circle"}), "its geometry is of the type 'Circle'"),
        (feature("POINT (1 2)"), "its geometry is of the type None"),
        (feature({"type": "Point", "coordinates": ["1", 2]}), "the coordinates of its Point"),
        (feature({"type": "Point", "coordinates": [1]}), "the coordinates of its Point"),
        (feature({"type": "Polygon", "coordinates": [[1, 2]]}), "the coordinates of its Polygon"),
        (feature({"type": "Point"}), "the coordinates of its Point"),
        (feature({"type": "GeometryCollection"}), "has no geometries"),
    ],
)
def test_what_is_no_feature_is_listed(transform: Transform, wrong: Any, reason: str) -> None:
    outcome = transform(collection(*[feature(n=1)] * 19, wrong), "a.geojson")
    [reject] = outcome.rejects
    assert reason in reject["reason"]
    assert json.loads(reject["raw"]) == wrong
    assert len(outcome.rows) == 19


def test_values_nested_too_deep_are_listed(transform: Transform) -> None:
    deep = json.dumps(feature(n=1)).replace("1}", "[" * 900 + "]" * 900 + "}")
    text = collection(*[feature(n=1)] * 19)[:-2] + f", {deep}]}}"
    with pytest.raises(RejectedError):
        transform(text, "a.geojson")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (collection(), "no_objects"),
        (collection(feature())[:-3], "invalid_json"),
        (collection(feature())[:-1] + ', "x"}', "invalid_json"),
        (collection(feature()).replace('"type"', '"type" "type"', 1), "invalid_json"),
        (collection(*[5] * 20), "too_many_bad_rows"),
        ('{"type": "FeatureCollection", "x": {"features": []}}', "invalid_json"),
        ('{"type": "FeatureCollection", "x": {"features": []},', "invalid_json"),
    ],
)
def test_what_is_broken_is_rejected(transform: Transform, text: str, code: str) -> None:
    with pytest.raises(RejectedError) as caught:
        transform(text, "a.geojson")
    assert caught.value.code == code


def test_texts_of_geometries_are_in_the_other_formats(transform: Transform) -> None:
    outcome = transform(collection(feature(n=1)), "a.geojson", output_formats=("csv", "xlsx"))
    assert (outcome.directory / "table.csv").read_text() == "n,geometry\n1,POINT (1 2.5)\n"
