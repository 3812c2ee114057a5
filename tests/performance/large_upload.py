"""Uploads a large sparse file in parts, by a client that is killed again and again.

    python -m tests.performance.large_upload --gigabytes 6 --kills 20

It deploys an environment to an emulator, lets the Python client upload the file, kills it at random
moments, and starts it again until it succeeds; then each byte is downloaded and compared. Run
`make package` before. The emulator holds the file in memory, two times while it completes.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from scripts import ROOT, local_cloud, terraform
from scripts.packaging.project import host_architecture
from tests.plan import harness
from uploads_client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLIENT: Final = ROOT / "examples" / "python-client" / "uploads_client.py"
_GIGABYTE: Final = 1000**3
_EVERY: Final = 50 * 1024 * 1024
_PIECE: Final = 1024 * 1024
_OVERRIDE: Final = """
module "stack" {
  max_upload_bytes = BYTES
  api              = { multipart_enabled = true }
}
"""


def sparse_file(path: Path, size: int, dice: random.Random) -> None:
    """Write a file of holes, with something at every 50 MiB and at its end."""
    with path.open("wb") as file:
        for at in [*range(0, size, _EVERY), size - 1024]:
            file.seek(at)
            file.write(dice.randbytes(min(1024, size - at)))
        file.truncate(size)


def pieces(path: Path) -> Iterator[bytes]:
    """Yield the content of a file."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def upload(api: str, path: Path, memory: Path, kills: int, dice: random.Random) -> int:
    """Run the client until it ends by itself; return how often it was killed."""
    line: list[str | Path] = [sys.executable, _CLIENT, api, path, "--unfinished", memory]
    killed = 0
    while True:
        client = subprocess.Popen(
            line,
            env={"AWS_EC2_METADATA_DISABLED": "true"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            # It hashes the file first: a second or two a gigabyte.
            patience = dice.uniform(1, 3) * path.stat().st_size / _GIGABYTE
            _, said = client.communicate(timeout=patience if killed < kills else None)
        except subprocess.TimeoutExpired:
            client.kill()
            client.communicate()
            killed += 1
            continue
        if client.returncode and "answered" in said:
            print(f"again after: {said.strip()}", file=sys.stderr)
            continue
        return killed


def main() -> int:
    """Upload, compare, and print what happened; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=6)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    size, dice = int(options.gigabytes * _GIGABYTE), random.Random(6)  # noqa: S311 - repeatable
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = harness.copy_tree(folder / "tree")
        (tree / "build").symlink_to(ROOT / "build")
        environment = tree / "envs" / "local"
        (environment / "large_override.tf").write_text(_OVERRIDE.replace("BYTES", str(size)))
        path = folder / "large.csv"
        sparse_file(path, size, dice)
        with local_cloud.running(folder / "cloud") as cloud:
            stack = terraform.Terraform(
                environment,
                terraform.environment(cloud.client_environment()),
                folder / "terraform.log",
            )
            stack.init()
            stack.apply(f"-var=architecture={host_architecture()}")
            api = cloud.api_url(stack.outputs()["api_id"])
            started = time.monotonic()
            killed = upload(api, path, folder / "memory", options.kills, dice)
            seconds = time.monotonic() - started
            with httpx.Client(timeout=600) as http:
                client = Client(api, http)
                [stored] = client.files()
                with http.stream("GET", client.file(stored["key"])["url"]) as answer:
                    found = answer.iter_bytes(_PIECE)
                    same = all(one == other for one, other in zip(found, pieces(path), strict=True))
    print(f"{stored['size']:,} bytes, {killed} kills, {seconds:.0f} s, all bytes equal: {same}")
    return 0 if same and stored["size"] == size else 1


if __name__ == "__main__":
    sys.exit(main())
