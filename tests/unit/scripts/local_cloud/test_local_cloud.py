from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from scripts import local_cloud
from scripts.local_cloud import Cloud, CloudError, Server
from scripts.local_cloud import __main__ as commands
from tests.support import root_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = "exec sleep 60"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Run the real emulator, once for this file."""
    with local_cloud.running(tmp_path_factory.mktemp("cloud") / "new") as started:
        yield started


def test_a_new_account_has_few_executions_and_no_role_for_logs(
    cloud: Cloud, tmp_path: Path
) -> None:
    asked = {"apigateway": "get_account", "lambda": "get_account_settings"}
    found = []
    with local_cloud.running(tmp_path / "new", new_account=True) as new:
        for where in (cloud, new):
            clients = {service: root_user.client(where, service) for service in asked}
            account, limits = (getattr(clients[s], operation)() for s, operation in asked.items())
            executions = limits["AccountLimit"]["ConcurrentExecutions"]
            found.append(("cloudwatchRoleArn" in account, executions))
    assert found == [(True, 64), (False, 10)]


class Emulator:
    """A server of a line of shell, which is taken to answer as long as it runs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "cloud"
        self.bin = directory / "bin"
        self.bin.mkdir()

    def install(self, script: str = SLEEP) -> None:
        for name in ("ministack", "python"):
            (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
            (self.bin / name).chmod(0o755)

    def start(self, port: int = 0) -> Cloud:
        return local_cloud.start(self.directory, port)

    def servers(self) -> list[psutil.Process]:
        """Return the processes that were started and still run."""
        return [
            process
            for process in psutil.Process().children()
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(self.directory)
        ]


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    made = Emulator(tmp_path)
    monkeypatch.setattr(local_cloud, "_EMULATOR", made.bin)
    monkeypatch.setattr(local_cloud, "_STOP_SECONDS", 0.2)
    monkeypatch.setattr(local_cloud, "_make_logging_role", lambda _: None)
    monkeypatch.setattr(Cloud, "is_up", lambda _: True)
    yield made
    local_cloud.stop(made.directory)


def test_emulator_answers(cloud: Cloud) -> None:
    assert cloud.is_up()
    assert cloud.aws.url.startswith("http://127.0.0.1:")


def test_running_cloud_is_found_and_not_started_twice(cloud: Cloud) -> None:
    assert local_cloud.find(cloud.directory) == cloud
    assert local_cloud.start(cloud.directory) == cloud


def test_cloud_that_does_not_answer_is_not_up(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        silent = Server(f"http://127.0.0.1:{probe.getsockname()[1]}", 1, 0.0)
        assert not Cloud(tmp_path, silent).is_up()


def test_clients_are_sent_to_this_cloud_only(cloud: Cloud) -> None:
    variables = {"PATH": "/bin", "AWS_PROFILE": "own", "AWS_SESSION_TOKEN": "secret"}
    assert cloud.client_environment(variables) == {
        "PATH": "/bin",
        "AWS_ENDPOINT_URL": cloud.aws.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def test_stop_ends_the_server_and_removes_what_it_held(emulator: Emulator) -> None:
    emulator.install()
    cloud = emulator.start()
    assert {server.pid for server in emulator.servers()} == {cloud.aws.pid}
    local_cloud.stop(emulator.directory)
    assert not emulator.servers()
    assert not emulator.directory.exists()
    assert local_cloud.find(emulator.directory) is None
    local_cloud.stop(emulator.directory)


def test_server_that_does_not_want_to_end_is_killed(emulator: Emulator) -> None:
    emulator.install("trap '' TERM; touch ready; exec sleep 60")
    emulator.start()
    _wait_for(emulator.directory / "ready")
    local_cloud.stop(emulator.directory)
    assert not emulator.servers()


def test_users_settings_do_not_reach_the_server(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
    emulator.install(f"export -p > variables; touch ready; {SLEEP}")
    emulator.start(port=(port := _free_port()))
    _wait_for(emulator.directory / "ready")
    variables = (emulator.directory / "variables").read_text()
    assert "AWS_SECRET_ACCESS_KEY" not in variables
    assert f"GATEWAY_PORT='{port}'" in variables
    assert "BIND_HOST='127.0.0.1'" in variables


def test_cloud_whose_server_is_gone_is_started_anew(emulator: Emulator) -> None:
    emulator.install()
    first = emulator.start()
    gone = psutil.Process(first.aws.pid)
    gone.kill()
    gone.wait()
    second = emulator.start()
    assert second.aws.pid != first.aws.pid
    assert len(emulator.servers()) == 1


def test_emulator_that_is_not_installed(emulator: Emulator) -> None:
    with pytest.raises(CloudError, match="run `make setup`"):
        emulator.start()


def test_port_that_is_taken(emulator: Emulator) -> None:
    emulator.install()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CloudError, match=rf"port {port} .*Address already in use"):
            emulator.start(port)
    assert not emulator.servers()


def test_port_that_cannot_exist(emulator: Emulator) -> None:
    emulator.install()
    with pytest.raises(CloudError, match=r"port 99999 .*0-65535"):
        emulator.start(99999)
    assert not emulator.servers()


def test_server_that_ends_while_starting(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cloud, "is_up", lambda _: False)
    emulator.install("echo 'no such module'; exit 1")
    with pytest.raises(CloudError, match="ended while starting:\nno such module"):
        emulator.start()
    assert not emulator.servers()


def test_server_that_never_answers(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cloud, "is_up", lambda _: False)
    monkeypatch.setattr(local_cloud, "_START_SECONDS", 0.1)
    emulator.install()
    with pytest.raises(CloudError, match="did not answer while starting"):
        emulator.start()
    assert not emulator.servers()


def test_process_is_that_of_the_server_only() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = psutil.Process(child.pid)
        server = Server("", child.pid, process.create_time())
        assert server.process() == process
        assert Server("", child.pid, process.create_time() - 1).process() is None
        child.communicate(b"\n")
        assert server.process() is None


def test_zombie_is_no_server() -> None:
    with subprocess.Popen(["true"]) as child:
        process = psutil.Process(child.pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert Server("", child.pid, process.create_time()).process() is None


class TestMain:
    @pytest.fixture(autouse=True)
    def directory(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        for function in (local_cloud.start, local_cloud.find, local_cloud.stop):
            defaults = (emulator.directory, *(function.__defaults__ or ())[1:])
            monkeypatch.setattr(function, "__defaults__", defaults)

    def test_start_status_env_stop(
        self, emulator: Emulator, capsys: pytest.CaptureFixture[str]
    ) -> None:
        emulator.install()
        port = _free_port()
        address = f"http://127.0.0.1:{port}"
        assert commands.main(["start", "--port", str(port)]) == 0
        assert f"runs at {address} (logs: {emulator.directory})" in capsys.readouterr().out
        assert commands.main(["status"]) == 0
        assert address in capsys.readouterr().out
        assert commands.main(["env"]) == 0
        assert f"export AWS_ENDPOINT_URL={address}\n" in capsys.readouterr().out
        assert commands.main(["stop"]) == 0
        assert "is stopped" in capsys.readouterr().out
        assert not emulator.servers()

    @pytest.mark.parametrize("command", ["status", "env"])
    def test_nothing_runs(self, command: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert commands.main([command]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert "is not running" in printed.err

    def test_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert commands.main(["start"]) == 1
        assert "error: the AWS emulator is not installed" in capsys.readouterr().err

    def test_unfinished_record_does_not_stand_in_the_way(self, emulator: Emulator) -> None:
        emulator.install()
        emulator.directory.mkdir()
        (emulator.directory / "cloud.json").write_text(json.dumps({"aws": {}})[:-3])
        assert commands.main(["start"]) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
