"""Build the functions' zips: `python -m scripts.package [FUNCTION ...] [--arch ARCHITECTURE]`.

For each function (a folder of functions/ with an index.py, or a folder elsewhere that is named with
a slash in it) and architecture (x86_64, arm64):

    build/<function>-<architecture>.zip        dependencies, the function, and the shared packages
    build/<function>-<architecture>.json       the sidecar: what Terraform reads at plan
    build/<function>-<architecture>.cdx.json   CycloneDX bill of materials
    build/manifest.json                        {"schema", "runtime", "packages": [every sidecar]}

The sidecar is an object with
    schema           1
    function, architecture, runtime, handler    as the Lambda function must be configured
    sha256           of the zip, hexadecimal
    sha256_base64    of the zip, as `source_code_hash` and CodeSha256 of the Lambda API have it
    inputs_sha256    of sources, lock, settings and packager; equal means nothing to build
    zip, bom         file names beside the sidecar
    zip_bytes, unzipped_bytes, files
    s3_key           where `--publish` puts it below the prefix; holds the hash
    dependencies     {name: version}

The same inputs give the same bytes on every machine. Nothing machine-made (times, modes, order,
host, compressor, interpreter) is part of a zip. Functions declare what they need of a library in
package.toml, see scripts/packaging/trim.py.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.packaging.errors import PackagingError
from scripts.packaging.outputs import MANIFEST, is_current
from scripts.packaging.project import (
    ARCHITECTURES,
    check_interpreter,
    host_architecture,
    read_packages,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(".local", "packaging")


def main(arguments: "Sequence[str] | None" = None, root: Path = ROOT) -> int:
    """Build what is asked for; return the exit status."""
    options = _parse(arguments)
    try:
        return _run(options, root)
    except PackagingError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1


def _parse(arguments: "Sequence[str] | None") -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.package", description="Build zips.")
    parser.add_argument(
        "functions",
        metavar="FUNCTION",
        nargs="*",
        help="a folder of functions/, or the path of one elsewhere; default: all of functions/",
    )
    parser.add_argument("--arch", choices=(*ARCHITECTURES, "host", "all"), default="all")
    parser.add_argument("--to", metavar="FOLDER", type=Path, help="default: build/")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="default: all cores")
    parser.add_argument("--publish", metavar="s3://BUCKET/PREFIX", help="copy the zips to a bucket")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, root: Path) -> int:
    check_interpreter()
    host = (host_architecture(),) if options.arch == "host" else ()
    chosen = {"all": ARCHITECTURES, "host": host}.get(options.arch, (options.arch,))
    packages = read_packages(root, options.functions, chosen)
    build = options.to or root / "build"
    if (build / MANIFEST).exists() and all(is_current(build, package) for package in packages):
        print(f"package: {len(packages)} zips are up to date")
    else:
        # Imported only when there is something to build; most calls find nothing to do.
        from scripts.packaging.build import Builder  # noqa: PLC0415 - see above

        Builder(build, root / CACHE, options.jobs).run(packages)
    if options.publish is not None:
        from scripts.packaging import publish  # noqa: PLC0415 - as above

        records = [
            json.loads((build / f"{package.name}.json").read_bytes()) for package in packages
        ]
        publish.publish(build, records, publish.Place.parse(options.publish), print)
    return 0


if __name__ == "__main__":
    sys.exit(main())
