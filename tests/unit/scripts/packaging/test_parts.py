"""The parts of the packager: archive, bytecode, trimming, installation, bill of materials."""

from __future__ import annotations

import gzip
import io
import json
import marshal
import os
import stat
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.packaging import botocore_data, sbom, trim, wheels, zips
from scripts.packaging.project import PackagingError


def test_an_archive_is_a_zip_that_others_read() -> None:
    first = zips.append(zips.EMPTY, zips.make_entries("a.txt", b"a" * 1000))
    again = zips.append(first, zips.make_entries("é.bin", os.urandom(50)))
    with zipfile.ZipFile(io.BytesIO(again)) as archive:
        assert archive.testzip() is None
        text, binary = archive.infolist()
        assert (text.filename, archive.read(text)) == ("a.txt", b"a" * 1000)
        assert (binary.filename, binary.compress_type) == ("é.bin", zipfile.ZIP_STORED)
        assert text.compress_type == zipfile.ZIP_DEFLATED
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert stat.filemode(text.external_attr >> 16) == "-rw-r--r--"


def test_large_files_are_compressed_too() -> None:
    assert len(zips.Entry.compress("large", bytes(5 << 20)).data) < 10_000


def test_bytecode_says_where_it_will_lie_and_is_trusted() -> None:
    content = zips.compile_source("pkg/mod.py", b"def f():\n    '''Doc.'''\n    return 'x'\n")
    assert content[4:8] == b"\1\0\0\0"
    assert marshal.loads(content[16:]).co_filename == "/var/task/pkg/mod.py"  # noqa: S302 - own
    assert zips.cache_name("pkg/mod.py") == "pkg/__pycache__/mod.cpython-312.pyc"


def test_bytecode_knows_statements_not_places_inside_them() -> None:
    spread = b"""
async def f(items):
    with (
        a() as one,
        b(
            one
        ) as two,
    ):
        return [
            x.y
            async for x
            in items
        ]
    try:
        for z in (
            items
        ):
            g(lambda: (
                z))
    except (
        KeyError
    ):
        pass
"""
    joined = b"""
async def f(items):
    with ( a() as one, b(one) as two):





        return [x.y async for x in items]




    try:
        for z in items:


            g(lambda: z)

    except KeyError:


        pass
"""
    header = 16
    assert (
        zips.compile_source("m.py", spread)[header:] == zips.compile_source("m.py", joined)[header:]
    )


def test_settings_add_up(tmp_path: Path) -> None:
    shared, own = tmp_path / "shared.toml", tmp_path / "own.toml"
    shared.write_text('leave_out = ["a"]\n[operations]\ns3 = ["Get"]\n')
    own.write_text('max_zip_mib = 3\nleave_out = ["b"]\n[operations]\ns3 = ["Put"]')
    assert trim.read_settings([shared]).max_zip_mib == float("inf")
    assert trim.read_settings([shared, own]) == trim.Settings(
        3.0, ["a", "b"], {"s3": ["Get", "Put"]}
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("leave_out = 1", "expected a list of strings"),
        ("operations = 1", "no attribute 'items'"),
        ("a = ", "Invalid value"),
        ("leave_ot = []", "unknown key leave_ot"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "package.toml"
    path.write_text(text)
    with pytest.raises(PackagingError, match=message):
        trim.read_settings([path])


def test_what_no_function_needs_is_left_out() -> None:
    kept = ["a/mod.py", "a/data/s3/x.json", "a-1.dist-info/METADATA", "a-1.dist-info/LICENSE"]
    dropped = [
        *("bin/tool", "a/__pycache__/mod.pyc", "a/py.typed", "a/mod.pyi", "a/tests/test_mod.py"),
        *("a-stubs/mod.py", "a-1.dist-info/RECORD", "a-1.dist-info/sboms/x.json"),
        *("a/data/ec2/x.json", "a/fonts.py"),
    ]
    patterns = ["a/font*", "a/data/*", "!a/data/s3/*"]
    assert trim.select([*dropped, *kept], patterns) == sorted(kept)


def test_a_pattern_that_matches_nothing_is_reported() -> None:
    with pytest.raises(PackagingError, match=r"that no dependency has: !a/old, gone/\*\."):
        trim.select(["a/b"], ["gone/*", "!a/b", "!a/old"])


def test_metadata_is_shipped_without_the_readme(tmp_path: Path) -> None:
    names = ["a-1.dist-info/METADATA", "a/METADATA"]
    for name in names:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"Name: a\r\nVersion: 1\r\n\r\nREADME\r\n")
    files = trim.read(tmp_path, trim.Settings())
    assert files[names[0]] == b"Name: a\nVersion: 1\n"
    assert files[names[1]] == (tmp_path / names[1]).read_bytes()


def test_service_descriptions_are_shipped_without_documentation() -> None:
    described = {
        "documentation": "All of it.",
        "operations": [{"name": "List", "documentationUrl": "https://a.example"}],
        "shapes": {"File": {"members": {"documentation": {"shape": "Text"}}}},
    }
    packed = gzip.compress(json.dumps(described).encode())
    assert _reduced(_S3, packed) == {
        "documentation": "",
        "operations": [{"name": "List", "documentationUrl": ""}],
        "shapes": {"File": {"members": {"documentation": {"shape": "Text"}}}},
    }
    other = {"other/service-2.json.gz": packed}
    assert botocore_data.reduce(other, {}) == other


_S3 = "botocore/data/s3/2006-03-01/service-2.json.gz"


def _reduced(name: str, content: bytes, *operations: str) -> object:
    """Return a description as it is shipped with some operations of S3, or with all."""
    wanted = {"s3": operations} if operations else {}
    files = {_S3: content} | {name: content}
    return json.loads(gzip.decompress(botocore_data.reduce(files, wanted)[name]))


def _packed(content: object) -> bytes:
    return gzip.compress(json.dumps(content, indent=2).encode())


_SERVICE = {
    "metadata": {"protocol": "rest-xml"},
    "operations": {
        "Get": {"input": {"shape": "Request"}, "errors": [{"shape": "Missing"}]},
        "Put": {"input": {"shape": "Other"}},
    },
    "shapes": {
        # A tree that holds itself, and a member of the name that references have.
        "Request": {"members": {"shape": {"shape": "Text"}, "inner": {"shape": "Requests"}}},
        "Requests": {"type": "list", "member": {"shape": "Request"}},
        "Missing": {"exception": True},
        "Text": {"type": "string"},
        "Other": {"type": "structure"},
    },
}


def test_services_are_shipped_with_the_operations_that_are_named() -> None:
    description: Any = _reduced(_S3, _packed(_SERVICE), "Get")
    assert description["metadata"] == _SERVICE["metadata"]
    assert description["operations"].keys() == {"Get"}
    assert description["shapes"].keys() == {"Request", "Requests", "Missing", "Text"}


def test_a_service_of_which_nothing_is_named_is_shipped_with_all_operations() -> None:
    name = "botocore/data/sqs/2012-11-05/service-2.json.gz"
    assert _reduced(name, _packed(_SERVICE), "Get") == _SERVICE


def test_an_operation_that_a_service_does_not_have_is_an_error() -> None:
    with pytest.raises(PackagingError, match="s3 does not have: Gett, Steal"):
        _reduced(_S3, _packed(_SERVICE), "Get", "Steal", "Gett")


def test_operations_of_a_service_that_is_not_there_are_an_error() -> None:
    with pytest.raises(PackagingError, match="operations of sqs, which no file describes"):
        botocore_data.reduce({_S3: _packed(_SERVICE)}, {"s3": ["Get"], "sqs": ["Send"]})


def test_data_that_is_not_compressed_is_shipped_as_it_is() -> None:
    files = {"botocore/data/_retry.json": b"{ }"}
    assert botocore_data.reduce(files, {}) == files


def test_data_is_shipped_without_white_space() -> None:
    rules = {"version": "1.0", "rules": [{"type": "error"}]}
    name = "botocore/data/s3/2006-03-01/endpoint-rule-set-1.json.gz"
    [shipped] = botocore_data.reduce({name: _packed(rules)}, {"s3": ["Get"]}).values()
    assert gzip.decompress(shipped) == b'{"version":"1.0","rules":[{"type":"error"}]}'


def test_endpoints_are_shipped_for_the_services_that_are_there() -> None:
    endpoints = {"partitions": [{"partition": "aws", "services": {"s3": {"a": 1}, "ec2": {}}}]}
    name = "botocore/data/endpoints.json"
    files = {name: json.dumps(endpoints).encode(), _S3: _packed(_SERVICE)}
    assert json.loads(botocore_data.reduce(files, {})[name]) == {
        "partitions": [{"partition": "aws", "services": {"s3": {"a": 1}}}]
    }


RECORD = {"function": "f", "architecture": "arm64", "sha256": "00" * 32}


@pytest.mark.parametrize(
    ("fields", "licenses"),
    [
        ("License-Expression: MIT\nLicense: Other", [{"expression": "MIT"}]),
        (
            "License: long\nClassifier: License :: OSI Approved :: BSD License",
            [{"license": {"name": "BSD License"}}],
        ),
        ("License: Apache\n  continued: line", [{"license": {"name": "Apache"}}]),
        ("", None),
    ],
)
def test_a_bill_names_every_component(fields: str, licenses: list[object] | None) -> None:
    component = sbom.read_component(f"Name: Some_Lib\nVersion: 1.2\n{fields}\n")
    bill = sbom.bill_of_materials(RECORD, [component])
    [described] = bill["components"]
    assert described["purl"] == "pkg:pypi/some-lib@1.2"
    assert (described["name"], described["version"]) == ("Some_Lib", "1.2")
    assert described.get("licenses") == licenses
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    assert bill == sbom.bill_of_materials(RECORD, [component])


def answer_with(monkeypatch: pytest.MonkeyPatch, code: int, error: str) -> list[list[str]]:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, code, "", error)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


@pytest.mark.parametrize(
    ("system", "platform"),
    [("linux", "aarch64-manylinux_2_28"), ("darwin", "aarch64-apple-darwin")],
)
def test_wheels_are_installed_for_lambdas_platform_or_a_mac(
    monkeypatch: pytest.MonkeyPatch, system: str, platform: str
) -> None:
    commands = answer_with(monkeypatch, 0, "")
    wheels.install(Path("r.txt"), "arm64", Path("t"), system=system)
    [command] = commands
    assert command[command.index("--python-platform") + 1] == platform
    assert {"--require-hashes", "--only-binary", ":all:"} <= set(command)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            "Because duckdb==0.2.0 has no usable wheels and you require duckdb==0.2.0",
            r"duckdb 0\.2\.0 has no wheel for Python 3\.12 on x86_64-manylinux_2_28\. .* f/r\.in",
        ),
        ("Hash mismatch for `six==1.0`\n", r"six==1\.0 is not the file that f/r\.txt"),
        ("no route to host", "could not be installed for x86_64-manylinux_2_28:\nno route"),
    ],
)
def test_a_failed_installation_is_explained(
    monkeypatch: pytest.MonkeyPatch, output: str, message: str
) -> None:
    answer_with(monkeypatch, 1, output)
    with pytest.raises(PackagingError, match=message):
        wheels.install(Path("f/r.txt"), "x86_64", Path("t"))


def test_the_installer_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(PackagingError, match="Run `make setup`"):
        wheels.find_uv()
    (tmp_path / "uv").touch()
    assert wheels.find_uv() == str(tmp_path / "uv")
