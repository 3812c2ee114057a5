from __future__ import annotations

import io
import json
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from rich.console import Console

from scripts import ROOT, local_cloud
from scripts.local_cloud import Cloud, CloudError, Server, demo, samples
from scripts.local_cloud.demo import Deployment
from scripts.packaging import __main__ as packaging
from scripts.packaging.project import PackagingError
from scripts.terraform import TerraformError
from tests.unit.scripts import fake_terraform
from uploads_client import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OUTPUTS = {
    "api_id": "a1",
    "s3_bucket_name": "uploads-local",
    "functions": {"image_processor": {"log_group": "/aws/lambda/image-processor"}},
}
TERRAFORM = f"""
case "$*" in
  version*) echo '{{"terraform_version": "1.11.0"}}' ;;
  *output*) echo '{json.dumps({name: {"value": value} for name, value in OUTPUTS.items()})}' ;;
esac
"""


@pytest.fixture
def screen() -> Console:
    return Console(file=io.StringIO(), width=200, highlight=False)


def shown(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    server = Server("http://127.0.0.1:4566", 1, 0.0)
    return Cloud(tmp_path / "cloud", server)


@pytest.fixture
def deployment(cloud: Cloud) -> Deployment:
    return Deployment(cloud, OUTPUTS, "http://api.test", "http://page.test")


@pytest.fixture
def machine(tmp_path: Path, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the packager and the emulator do nothing; return the folder of a fake Terraform."""
    own = tmp_path / "own.rc"
    own.touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(own))
    monkeypatch.setenv("PATH", fake_terraform.install(tmp_path / "bin", TERRAFORM))
    monkeypatch.setattr(demo, "LOCAL", tmp_path)
    monkeypatch.setattr(demo, "host_architecture", lambda: "arm64")
    monkeypatch.setattr(packaging, "main", lambda arguments: int(arguments != ["--arch", "host"]))
    monkeypatch.setattr(local_cloud, "start", lambda port: cloud)  # noqa: ARG005 - a stub
    monkeypatch.setattr(demo, "publish_page", lambda _, api_url: f"http://page.test/?api={api_url}")
    return tmp_path / "bin"


class Api:
    """Answers as the deployed API would; the outcome of a file is a test's choice."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, Any]] = {}

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.url.host == "bucket.test":
            return httpx.Response(200, content=b"content")
        if path == "/files" and request.method == "POST":
            name = json.loads(request.content)["name"]
            if name not in self.results:
                return httpx.Response(400, text="unknown [extension]")
            form = {"key": f"uploads/1/{name}", "url": "http://bucket.test/", "fields": {}}
            return httpx.Response(201, json=form)
        if path == "/files":
            return httpx.Response(
                200, json={"files": [{"key": key} for key in self.results], "next_cursor": None}
            )
        return httpx.Response(200, json=self.results[path.rpartition("/")[2]])


def succeeded(*outputs: dict[str, Any], size: int = 5) -> dict[str, Any]:
    return {
        "state": "succeeded",
        "size": size,
        "result": {"error": None, "outputs": list(outputs)},
    }


def output(name: str, size: int, **attributes: object) -> dict[str, Any]:
    return {
        "name": name,
        "url": f"http://bucket.test/{name}",
        "bytes": size,
        "attributes": attributes,
    }


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made, client = Api(), httpx.Client
    monkeypatch.setattr(
        httpx,
        "Client",
        lambda timeout: client(timeout=timeout, transport=httpx.MockTransport(made.answer)),
    )
    return made


def write(directory: Path, *names: str) -> list[Path]:
    paths = [directory / name for name in names]
    for path in paths:
        path.write_text("input")
    return paths


def test_step_tells_how_long_it_took(screen: Console) -> None:
    with demo.step(screen, "Working [x86_64]"):
        assert shown(screen) == "Working [x86_64] …\n"
    assert re.search(r"✓ Working \[x86_64\] \(\d+\.\d s\)", shown(screen))


def test_step_on_a_terminal_is_shown_once(screen: Console) -> None:
    terminal = Console(file=screen.file, width=200, force_terminal=True, _environ={"TERM": "dumb"})
    with demo.step(terminal, "Working [x86_64]"):
        pass
    assert shown(screen).count("Working [x86_64]") == 1


def test_step_that_fails_is_not_ticked_off(screen: Console) -> None:
    with pytest.raises(ValueError, match="broken"), demo.step(screen, "Working [x86_64]"):
        raise ValueError("broken")
    assert "✓" not in shown(screen)


def test_deploy(machine: Path, cloud: Cloud, screen: Console) -> None:
    found = demo.deploy(screen)
    api_url = "http://127.0.0.1:4566/restapis/a1/prod/_user_request_"
    assert found == Deployment(cloud, OUTPUTS, api_url, f"http://page.test/?api={api_url}")
    commands = [run.split()[1] for run in fake_terraform.runs(machine)]
    assert commands == ["-json", "init", "apply", "output"]
    assert fake_terraform.runs(machine)[2].endswith("-var=architecture=arm64")


def test_a_mac_deploys_zips_of_its_own(
    machine: Path, screen: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    demo.deploy(screen)
    applied = fake_terraform.runs(machine)[2]
    assert applied.endswith(f"-var=package_dir={ROOT}/.local/packages")


@pytest.mark.usefixtures("machine")
def test_nothing_is_deployed_without_zips(screen: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaging, "main", lambda _: 1)
    monkeypatch.delattr(local_cloud, "start")
    with pytest.raises(demo.DemoError, match="the zips could not be built"):
        demo.deploy(screen)


def test_page_is_served_by_the_emulator(tmp_path: Path) -> None:
    with local_cloud.running(tmp_path / "cloud") as cloud:
        for _ in ("published", "published again"):
            address = demo.publish_page(cloud, "http://api.test/prod")
        page = httpx.get(address)
        parts = {name: httpx.get(urljoin(address, name)) for name in ("app.js", "style.css")}
        unlisted = httpx.get(urljoin(address, "README.md"))
    assert urlsplit(address).hostname == "127.0.0.1"
    assert parse_qs(urlsplit(address).query) == {"api": ["http://api.test/prod"]}
    assert page.headers["Content-Type"].startswith("text/html")
    for name, part in parts.items():
        assert name in page.text
        assert part.content == (demo.PAGE / name).read_bytes()
    assert unlisted.status_code in (403, 404)


def test_run(api: Api, deployment: Deployment, screen: Console, tmp_path: Path) -> None:
    files = write(tmp_path, "beach.jpg", "table.csv", "[empty].csv")
    api.results = {
        "beach.jpg": succeeded(
            output("thumbnail.webp", 9_999, width=160, height=120), size=1_234_567
        ),
        "table.csv": succeeded(output("table.parquet", 7, rows=2), output("columns.json", 3)),
        "[empty].csv": {
            "state": "rejected",
            "size": 0,
            "result": {"error": {"code": "empty", "message": "It is [empty]."}, "outputs": []},
        },
    }
    assert demo.run(screen, deployment, files, tmp_path / "results")
    lines = [line.split() for line in shown(screen).splitlines()]
    rows = [" ".join(word for word in line if word not in "│┃") for line in lines]
    assert any(row.startswith("beach.jpg succeeded 1,235 kB") for row in rows)
    assert "thumbnail.webp 9,999 B 160 x 120 px" in rows
    assert "table.parquet 7 B 2 rows" in rows
    assert "columns.json 3 B" in rows
    assert any(row.startswith("[empty].csv rejected 0 B It is [empty].") for row in rows)
    assert "GET /files lists 3 uploads." in rows
    for result in ("beach.jpg/thumbnail.webp", "table.csv/table.parquet", "table.csv/columns.json"):
        assert (tmp_path / "results" / result).read_text() == "content"


def test_run_goes_on_after_a_failure(
    api: Api, deployment: Deployment, screen: Console, tmp_path: Path
) -> None:
    files = write(tmp_path, "[program].exe", "table.csv")
    api.results = {"table.csv": succeeded()}
    assert not demo.run(screen, deployment, files, tmp_path / "results")
    assert "unknown [extension]" in shown(screen)
    assert shown(screen).count("[program].exe") == 2  # what is being done, and the table's row
    assert "✓ Uploading table.csv" in shown(screen)


def test_explanation(deployment: Deployment, screen: Console, tmp_path: Path) -> None:
    demo.explain(screen, deployment, tmp_path)
    for expected in (
        str(tmp_path),
        "s3://uploads-local",
        "/aws/lambda/image-processor",
        "curl http://api.test/status",
        "http://page.test",
        "make down",
    ):
        assert expected in shown(screen)


class TestMain:
    @pytest.fixture(autouse=True)
    def results(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        directory = tmp_path / "demo"
        monkeypatch.setattr(demo, "RESULTS", directory)
        monkeypatch.delenv("PORT", raising=False)
        return directory

    @pytest.fixture
    def ports(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Let the deployment succeed at once; return the requested ports."""
        ports: list[int] = []

        def deploy(_: Console, port: int) -> Deployment:
            ports.append(port)
            return deployment

        monkeypatch.setattr(demo, "deploy", deploy)
        monkeypatch.setattr(samples, "write", lambda directory: [directory / "sample.csv"])
        return ports

    @pytest.fixture
    def uploads(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Let uploads succeed, but for `bad`; return the names of the files."""
        names: list[str] = []

        def run(_: Console, __: Deployment, files: list[Path], ___: Path) -> bool:
            names.extend(file.name for file in files)
            return "bad" not in names

        monkeypatch.setattr(demo, "run", run)
        return names

    def test_down(
        self, results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stopped: list[bool] = []
        monkeypatch.setattr(local_cloud, "stop", lambda: stopped.append(True))
        results.mkdir()
        assert demo.main(["down"]) == 0
        assert stopped
        assert not results.exists()
        assert "is stopped" in capsys.readouterr().out

    def test_up_uploads_nothing(
        self, ports: list[int], uploads: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert demo.main(["up"]) == 0
        assert (ports, uploads) == ([0], [])
        assert "s3://uploads-local" in capsys.readouterr().out

    def test_run_takes_samples(self, ports: list[int], uploads: list[str]) -> None:
        assert demo.main(["run"]) == 0
        assert (ports, uploads) == ([0], ["sample.csv"])

    def test_run_takes_files(self, ports: list[int], uploads: list[str], tmp_path: Path) -> None:
        (own,) = write(tmp_path, "own.csv")
        assert demo.main(["run", str(own), "--port", "4566"]) == 0
        assert (ports, uploads) == ([4566], ["own.csv"])

    def test_port_of_the_environment(
        self, ports: list[int], uploads: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PORT", "4567")
        demo.main(["run"])
        assert (ports, uploads) == ([4567], ["sample.csv"])

    @pytest.mark.usefixtures("ports", "uploads")
    def test_failed_upload_is_a_failure(self, tmp_path: Path) -> None:
        (bad,) = write(tmp_path, "bad")
        assert demo.main(["run", str(bad)]) == 1

    def test_missing_files_are_reported_before_anything_is_done(
        self, ports: list[int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert demo.main(["run", "gone.csv", "lost.csv"]) == 1
        assert "error: no such file: gone.csv, lost.csv" in capsys.readouterr().out
        assert not ports

    @pytest.mark.parametrize(
        "error",
        [
            demo.DemoError,
            PackagingError,
            CloudError,
            TerraformError,
            ApiError,
            httpx.ConnectError,
        ],
    )
    def test_error_is_a_sentence(
        self,
        error: Callable[[str], Exception],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def deploy(_: Console, __: int) -> Deployment:
            raise error("[x86_64] is broken")

        monkeypatch.setattr(demo, "deploy", deploy)
        monkeypatch.setattr(samples, "write", lambda _: [])
        assert demo.main(["run"]) == 1
        assert "error: [x86_64] is broken" in capsys.readouterr().out

    def test_interrupt(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def write_samples(_: Path) -> list[Path]:
            raise KeyboardInterrupt

        monkeypatch.setattr(samples, "write", write_samples)
        assert demo.main(["run"]) == 130
        assert "Interrupted" in capsys.readouterr().out


def test_environment_of_the_demo_is_the_local_one() -> None:
    assert (demo.ENVIRONMENT / "main.tf").is_file()


@pytest.mark.parametrize(("rows", "shown"), [(0, "0 rows"), (1, "1 row"), (1461, "1,461 rows")])
def test_rows_are_counted_in_words(rows: int, shown: str) -> None:
    assert demo._attributes({"rows": rows}) == shown
