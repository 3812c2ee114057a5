"""A large CSV from S3 object to S3 object: the packaged table function, as Lambda runs it.

    make bench-large-table

The built zip runs under AWS's runtime client against the emulator's S3. `rows` sets the size: ten
million rows are about 1.4 GB. Peak memory is that of the whole process, disk the most that its
temporary files took. It fails when a limit of the function is passed or the table is not whole.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psutil

from scripts import ROOT, local_cloud
from scripts.packaging.project import host_architecture
from tests.performance.bench_tables import generate
from tests.performance.memory_tables import DISK_LIMIT_MB, LIMIT_MB
from tests.performance.processes import Disk, peak_bytes
from tests.support import root_user
from tests.support.lambda_runtime import LambdaFunction, unpack
from uploads.keys import result_key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_BUCKET = "uploads-of-the-benchmark"
_KEY = "uploads/1/orders.csv"
_TIMEOUT = 900


def _store(s3: S3Client, table: Path) -> dict[str, Any]:
    """Upload a table; return the event with which S3 announces it."""
    s3.create_bucket(Bucket=_BUCKET)
    s3.put_bucket_versioning(Bucket=_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.upload_file(str(table), _BUCKET, _KEY)
    head = s3.head_object(Bucket=_BUCKET, Key=_KEY)
    described = {
        "key": _KEY,
        "size": head["ContentLength"],
        "eTag": head["ETag"].strip('"'),
        "versionId": head["VersionId"],
        "sequencer": "0A",
    }
    part = {"bucket": {"name": _BUCKET}, "object": described}
    return {"Records": [{"eventName": "ObjectCreated:Post", "s3": part}]}


def _wrong(s3: S3Client, rows: int, folder: Path) -> list[str]:
    """Read the result; return what is not as it should be."""
    record = s3.get_object(Bucket=_BUCKET, Key=result_key(_KEY))
    result = json.load(record["Body"])
    if result["status"] != "succeeded":
        return [str(result["error"])]
    [output] = result["outputs"]
    s3.download_file(_BUCKET, output["key"], str(folder / "table.parquet"))
    with duckdb.connect() as connection:
        query = f"SELECT count(*), sum(order_id) FROM '{folder}/table.parquet'"  # noqa: S608 - ours
        found = connection.execute(query).fetchone()
    return [] if found == (rows, rows * (rows + 1) // 2) else [f"the table holds {found}"]


def main(rows: int) -> int:
    """Print time, memory and disk of one conversion; return 1 if a limit does not hold."""
    with tempfile.TemporaryDirectory() as name, local_cloud.running(Path(name) / "cloud") as cloud:
        folder, scratch = Path(name), Path(name) / "tmp"
        scratch.mkdir()
        table = folder / "orders.csv"
        generate(table, rows)
        size = table.stat().st_size
        s3: S3Client = root_user.client(cloud, "s3")
        event = _store(s3, table)
        table.unlink()
        zip_file = ROOT / f"build/data_transformer-{host_architecture()}.zip"
        place = unpack(zip_file, folder / "function")
        environment = cloud.environment() | {
            "TMPDIR": str(scratch),
            "ENVIRONMENT": "bench",
            "CODE_SHA256": "0",
            "POWERTOOLS_SERVICE_NAME": "data-transformer",
            "POWERTOOLS_METRICS_NAMESPACE": "ServerlessUploads",
        }
        handler = "data_transformer.index.handler"
        with LambdaFunction(place, handler, environment, timeout=_TIMEOUT) as function:
            with Disk(scratch) as disk:
                started = time.perf_counter()
                answer = function.invoke(event)
                wall = time.perf_counter() - started
            times = psutil.Process(function._process.pid).cpu_times()
            peak = peak_bytes(function._process.pid)
        wrong = [str(answer.error)] if answer.error else _wrong(s3, rows, folder)
    print(f"{rows:,} rows, {size / 1e6:,.0f} MB, from S3 object to S3 object")
    print(f"{times.user + times.system:.1f} s of CPU, {wall:.1f} s in all")
    print(
        f"memory: {peak / 2**20:.0f} of {LIMIT_MB} MB, /tmp: {disk.peak / 2**20:.0f} of "
        f"{DISK_LIMIT_MB} MB"
    )
    if peak >= LIMIT_MB * 2**20:
        wrong.append("more memory than the function has")
    if disk.peak >= DISK_LIMIT_MB * 2**20:
        wrong.append("more temporary files than the function may have")
    for what in wrong:
        print(f"WRONG: {what}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=10_000_000)
    sys.exit(main(parser.parse_args().rows))
