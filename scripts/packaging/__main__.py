"""Build the functions' zips: `python -m scripts.packaging [FUNCTION ...] [--arch ARCHITECTURE]`.

docs/packaging.md describes the files that it writes. The same inputs give the same bytes on every
machine.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.packaging import outputs, project

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: "Sequence[str] | None" = None, root: Path = ROOT) -> int:
    """Build the requested zips; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.packaging", description="Build zips.")
    parser.add_argument(
        "functions",
        metavar="FUNCTION",
        nargs="*",
        help="a folder of functions/, or the path of one elsewhere; default: all of functions/",
    )
    parser.add_argument("--arch", choices=(*project.ARCHITECTURES, "host", "all"), default="all")
    parser.add_argument("--to", metavar="FOLDER", type=Path, help="default: build/")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="default: all cores")
    parser.add_argument("--publish", metavar="s3://BUCKET/PREFIX", help="copy the zips to a bucket")
    try:
        _run(parser.parse_args(arguments), root)
    except project.PackagingError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, root: Path) -> None:
    project.check_interpreter()
    architectures = project.ARCHITECTURES if options.arch == "all" else (options.arch,)
    build, system = root / "build", "linux"
    if options.arch == "host":
        architectures = (project.host_architecture(),)
        build, system = project.local_build(root), sys.platform
    if options.publish is not None and system != "linux":
        raise project.PackagingError(
            "These zips run on this machine alone: publish those of --arch all."
        )
    packages = project.read_packages(root, options.functions, architectures)
    build = options.to or build
    if all(outputs.is_current(build, package) for package in packages):
        print(f"package: {len(packages)} zips are up to date")
    else:
        # Imported only when there is something to build; most calls find nothing to do.
        from scripts.packaging.build import Builder  # noqa: PLC0415 - see above

        Builder(build, root / ".local/packaging", options.jobs, system).run(packages)
    if options.publish is not None:
        from scripts.packaging import publish  # noqa: PLC0415 - as above

        records = [json.loads((build / f"{p.name}.json").read_bytes()) for p in packages]
        publish.publish(build, records, options.publish)


if __name__ == "__main__":
    sys.exit(main())
