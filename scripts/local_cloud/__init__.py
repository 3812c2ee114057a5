"""The local cloud: an AWS emulator on a free loopback port, with IAM and signatures enforced.

One server in a separate virtual environment (`.local/emulator`), see `scripts/emulator`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import boto3
import psutil

from scripts import LOCAL, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

REGION: Final = "us-east-1"
# The emulator's root user: any account would do, this one cannot exist on AWS.
ACCOUNT_ID: Final = "000000000000"
DIRECTORY: Final = LOCAL / "cloud"

_EMULATOR: Final = LOCAL / "emulator" / "bin"
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 10
_RECORD: Final = "cloud.json"
_LOG: Final = "emulator.log"

# The emulators that this process started, by id: they outlive the command that starts them, unless
# it also ends them; then it waits for them as their parent.
_started: Final[dict[int, subprocess.Popen[bytes]]] = {}


class CloudError(Exception):
    """The local cloud cannot be started or used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server process: its address, and its start time, since process ids are reused."""

    url: str
    pid: int
    created: float

    def process(self) -> psutil.Process | None:
        """Return the process while it runs."""
        try:
            process = psutil.Process(self.pid)
            if process.create_time() != self.created or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except psutil.NoSuchProcess:
            return None
        return process


@dataclass(frozen=True, slots=True)
class Cloud:
    """A running local cloud.

    Attributes:
        directory: its data and logs.
        aws: the emulator.
    """

    directory: Path
    aws: Server

    def environment(self) -> dict[str, str]:
        """Return the environment variables that send AWS clients and Terraform here."""
        return {
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client_environment(self, variables: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Return `variables` with this cloud in place of every other AWS setting."""
        rest = {name: value for name, value in variables.items() if not name.startswith("AWS_")}
        return rest | self.environment()

    def api_url(self, api_id: str) -> str:
        """Return the address of an API here."""
        return stage_url(self.aws.url, api_id)

    def is_up(self) -> bool:
        """Return whether it answers."""
        url = f"{self.aws.url}/_ministack/health"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - a loopback address
                return bool(answer.status == 200)
        except OSError:
            return False


def stage_url(endpoint: str, api_id: str) -> str:
    """Return the address at which an emulator serves an API: the path is that of AWS's test calls.

    The host name of the output `api_gateway_url` is AWS's.
    """
    return f"{endpoint}/restapis/{api_id}/prod/_user_request_"


def start(
    directory: Path = DIRECTORY,
    port: int = 0,
    *,
    new_account: bool = False,
    repeat_events: bool = False,
) -> Cloud:
    """Start the local cloud, empty, or return the one that runs already.

    Args:
        directory: where it keeps its logs and its record.
        port: port of the emulator on 127.0.0.1; 0 takes a free one.
        new_account: be an account as AWS gives it: ten executions at the same time, and no role
            for API Gateway to write logs with.
        repeat_events: deliver every second asynchronous event twice, as AWS may.

    Raises:
        CloudError: the port is taken, the emulator is not installed or does not start.
    """
    running = find(directory)
    if running:
        return running
    stop(directory)
    if not (_EMULATOR / "ministack").is_file():
        raise CloudError("the AWS emulator is not installed: run `make setup`")
    directory.mkdir(parents=True, exist_ok=True)
    port = _free_port(port)
    variables = emulator_variables(
        directory, port, new_account=new_account, repeat_events=repeat_events
    )
    cloud = Cloud(directory, _spawn(emulator_command(), directory, port, variables))
    try:
        _wait(cloud)
        if not new_account:
            _make_logging_role(cloud)
    except BaseException:
        _end(cloud.aws)
        raise
    record = directory / _RECORD
    record.write_text(json.dumps(asdict(cloud) | {"directory": str(directory)}, indent=2))
    return cloud


def _make_logging_role(cloud: Cloud) -> None:
    """Give API Gateway the role to write logs with, as `envs/account` does for an account."""
    root = boto3.Session("test", "test", region_name=REGION)
    apigateway = root.client("apigateway", endpoint_url=cloud.aws.url)
    role = f"arn:aws:iam::{ACCOUNT_ID}:role/api-gateway-logging"
    apigateway.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
    )
    apigateway.close()


def emulator_command() -> list[str | Path]:
    """Return the command line of an emulator, which sees nothing of this folder (-P)."""
    return [_EMULATOR / "python", "-P", ROOT / "scripts/emulator/__main__.py"]


def emulator_variables(
    directory: Path, port: int, *, new_account: bool = False, repeat_events: bool = False
) -> dict[str, str]:
    """Return the environment variables of an emulator that keeps its data in a directory."""
    concurrency = 10 if new_account else 1000
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MOTO_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "false",
        "S3_DATA_DIR": str(directory / "s3"),
        "STATE_DIR": str(directory / "state"),
        # Each concurrent event starts an interpreter. Above the limit the emulator gives an event
        # up after two more tries, where AWS keeps it for hours: it must not be met.
        "LAMBDA_ACCOUNT_CONCURRENCY": str(min(64, concurrency)),
        "ACCOUNT_CONCURRENCY": str(concurrency),
        "REPEAT_EVENTS": str(int(repeat_events)),
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "1",
        "LAMBDA_ASYNC_RETRY_MAX_SECONDS": "2",
    }


def find(directory: Path = DIRECTORY) -> Cloud | None:
    """Return the local cloud of a directory when it runs and answers."""
    cloud = _recorded(directory)
    if cloud and cloud.aws.process() and cloud.is_up():
        return cloud
    return None


def stop(directory: Path = DIRECTORY) -> None:
    """Stop the local cloud of a directory and remove all that it held."""
    cloud = _recorded(directory)
    if cloud:
        _end(cloud.aws)
    if directory.is_dir():
        shutil.rmtree(directory)


@contextlib.contextmanager
def running(
    directory: Path, *, new_account: bool = False, repeat_events: bool = False
) -> Iterator[Cloud]:
    """Run a local cloud for the length of a `with` block; the settings are those of `start`."""
    cloud = start(directory, new_account=new_account, repeat_events=repeat_events)
    try:
        yield cloud
    finally:
        stop(directory)


def _recorded(directory: Path) -> Cloud | None:
    try:
        record = json.loads((directory / _RECORD).read_text())
    except (FileNotFoundError, ValueError):  # none, or one that was not written to its end
        return None
    return Cloud(directory, Server(**record["aws"]))


def _free_port(port: int = 0) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise CloudError(
                f"port {port} on 127.0.0.1 cannot be used ({error}): name another port, or none to "
                "use a free one"
            ) from error
        return int(probe.getsockname()[1])


def _spawn(
    command: Sequence[str | Path], directory: Path, port: int, variables: Mapping[str, str]
) -> Server:
    # The server sees nothing of the user's environment: no credentials, no proxy, no Python path.
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with (directory / _LOG).open("ab") as file:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env={**env, **variables},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started[process.pid] = process
    return Server(
        f"http://127.0.0.1:{port}", process.pid, psutil.Process(process.pid).create_time()
    )


def _wait(cloud: Cloud) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not cloud.is_up():
        ended = not cloud.aws.process()
        if ended or time.monotonic() > deadline:
            raise CloudError(
                f"the AWS emulator {'ended' if ended else 'did not answer'} while starting:\n"
                + (cloud.directory / _LOG).read_text()[-1000:]
            )
        time.sleep(0.1)


def _end(server: Server) -> None:
    process = server.process()
    if not process:
        return
    family = [*process.children(recursive=True), process]
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.terminate()
    _, alive = psutil.wait_procs(family, timeout=_STOP_SECONDS)
    for member in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(alive, timeout=_STOP_SECONDS)
    with contextlib.suppress(KeyError):
        _started.pop(server.pid).wait()
