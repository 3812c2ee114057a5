"""A person's browser: the example page in headless Chromium, against the API on the emulator."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest
import requests
from PIL import Image
from selenium import webdriver
from selenium.common.exceptions import NoSuchDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from scripts import LOCAL
from tests.e2e.api.conftest import LARGEST, MEBIBYTE, Deployment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.remote.webelement import WebElement


_SHOTS = LOCAL / "screenshots"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in (
        "--headless=new",
        "--no-sandbox",  # containers run tests as root, where Chromium's sandbox cannot start
        "--disable-dev-shm-usage",
        "--disable-gpu",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
        "--window-size=1000,1100",
    ):
        options.add_argument(argument)
    with pytest.MonkeyPatch.context() as patch:
        # Selenium downloads a browser and its driver where the machine has none.
        patch.setenv("SE_CACHE_PATH", str(LOCAL / "selenium"))
        patch.setenv("SE_AVOID_STATS", "true")
        service = webdriver.ChromeService(
            shutil.which("chromedriver") if options.binary_location else None
        )
        try:
            made = webdriver.Chrome(options=options, service=service)
        except NoSuchDriverException:
            reason = "no browser, and none could be downloaded: install chromium, chromium-driver"
            # Where tests decide about a change, a skipped browser must not look like a passed one.
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    yield made
    made.quit()


def open_page(browser: webdriver.Chrome, deployment: Deployment, origin: str) -> None:
    browser.get(f"{origin}/?api={quote(deployment.api, safe='')}")


def give(browser: webdriver.Chrome, *files: Path) -> None:
    browser.find_element(By.ID, "picker").send_keys("\n".join(str(file) for file in files))


def row(browser: webdriver.Chrome, name: str, state: str) -> WebElement:
    def found(_: webdriver.Chrome) -> WebElement | None:
        for item in browser.find_elements(By.CSS_SELECTOR, f'.file[data-state="{state}"]'):
            if item.find_element(By.CLASS_NAME, "name").text == name:
                return item
        return None

    message = f"{name} never became {state}: {browser.find_element(By.TAG_NAME, 'main').text}"
    item = WebDriverWait(browser, 60).until(found, message)
    assert item is not None
    return item


def shot(browser: webdriver.Chrome, name: str) -> None:
    _SHOTS.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(_SHOTS / f"{name}.png"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    picture = Image.linear_gradient("L").resize((1200, 900))
    made = Image.merge("RGB", (picture, picture.rotate(90, expand=False), picture.rotate(180)))
    made.save(tmp_path / "sunset & sea.jpg")
    return tmp_path / "sunset & sea.jpg"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "numbers.csv"
    file.write_text("day,visitors\n" + "".join(f"2026-01-{n:02d},{n * 7}\n" for n in range(1, 31)))
    return file


def test_a_photo_and_a_table_are_uploaded_and_shown(
    browser: webdriver.Chrome, deployment: Deployment, photo: Path, table: Path
) -> None:
    open_page(browser, deployment, deployment.origin)
    service = browser.find_element(By.ID, "service")
    WebDriverWait(browser, 20).until(lambda _: service.get_attribute("data-state") == "ok")
    give(browser, photo, table)
    shown = row(browser, photo.name, "succeeded")
    WebDriverWait(browser, 20).until(
        lambda _: browser.execute_script(
            "const i = arguments[0].querySelector('.preview img');"
            "return i && i.complete && i.naturalWidth > 100",
            shown,
        )
    )
    assert "1200 \u00d7 900" in shown.text
    assert "thumbnail" in shown.text
    counted = row(browser, table.name, "succeeded")
    assert "Rows\n30" in counted.text
    assert "parquet" in counted.text
    shot(browser, "desktop")
    browser.set_window_size(400, 900)
    width = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    WebDriverWait(browser, 20).until(
        lambda _: browser.execute_script(width), "a phone's screen would have to be moved sideways"
    )
    shot(browser, "phone")
    browser.set_window_size(1000, 1100)


def test_what_cannot_be_used_is_explained(
    browser: webdriver.Chrome, deployment: Deployment, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("this is no picture")
    program = tmp_path / "setup.exe"
    program.write_text("MZ")
    empty = tmp_path / "empty.csv"
    empty.touch()
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * (LARGEST + 1))
    open_page(browser, deployment, deployment.origin)
    give(browser, broken, program, empty, large)
    sentences = {
        "broken.png": row(browser, "broken.png", "rejected"),
        "setup.exe": row(browser, "setup.exe", "failed"),
        "empty.csv": row(browser, "empty.csv", "failed"),
        "large.csv": row(browser, "large.csv", "failed"),
    }
    said = {
        name: item.find_element(By.CLASS_NAME, "state").text for name, item in sentences.items()
    }
    shot(browser, "errors")
    assert all(sentence.endswith(".") for sentence in said.values()), said
    assert "accepted are .csv" in said["setup.exe"]
    assert "empty" in said["empty.csv"]
    assert f"at most {LARGEST:,} are taken" in said["large.csv"]


def test_the_keyboard_alone_is_enough(
    browser: webdriver.Chrome, deployment: Deployment, tmp_path: Path
) -> None:
    open_page(browser, deployment, deployment.origin)
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    active = browser.switch_to.active_element
    assert active.get_attribute("id") == "picker"
    outline = "return getComputedStyle(document.getElementById('drop')).outlineStyle"
    assert browser.execute_script(outline) == "solid"
    program = tmp_path / "setup.exe"
    program.write_text("MZ")
    give(browser, program)
    again = row(browser, "setup.exe", "failed").find_element(By.CLASS_NAME, "again")
    again.send_keys(Keys.ENTER)
    row(browser, "setup.exe", "failed")


def test_dropped_files_are_taken_and_their_progress_is_shown(
    browser: webdriver.Chrome, deployment: Deployment
) -> None:
    open_page(browser, deployment, deployment.origin)
    browser.execute_script(
        """
        window.seen = [];
        new MutationObserver(() => document.querySelectorAll(".file").forEach((file) => {
          const state = file.dataset.state;
          const bar = getComputedStyle(file.querySelector("progress")).display !== "none";
          if (seen.at(-1)?.state !== state) seen.push({ state, bar });
        })).observe(document.getElementById("files"),
          { subtree: true, childList: true, attributes: true });
        const dropped = new DataTransfer();
        dropped.items.add(new File(["a,b\\n" + "1,2\\n".repeat(500000)], "dropped.csv"));
        document.getElementById("drop").dispatchEvent(
          new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
        """
    )
    done = row(browser, "dropped.csv", "succeeded")
    assert "Rows\n500,000" in done.text
    seen = browser.execute_script("return window.seen")
    assert [step["state"] for step in seen] == ["waiting", "uploading", "pending", "succeeded"]
    assert [step["bar"] for step in seen] == [False, True, True, False]


def test_a_lost_connection_is_explained_and_can_be_tried_again(
    browser: webdriver.Chrome, deployment: Deployment, table: Path
) -> None:
    open_page(browser, deployment, deployment.origin)
    browser.set_network_conditions(offline=True, latency=0, throughput=0)
    give(browser, table)
    failed = row(browser, table.name, "failed")
    assert "cannot be reached" in failed.text
    browser.delete_network_conditions()
    failed.find_element(By.CLASS_NAME, "again").click()
    row(browser, table.name, "succeeded")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large.csv"
    file.write_text("number,text\n" + "".join(f"{n},{n:0100}\n" for n in range(190_000)))
    return file


def percent(browser: webdriver.Chrome, name: str) -> int:
    item = row(browser, name, "uploading")
    return int(re.sub(r".* (\d+) %.*|.*", r"0\1", item.find_element(By.CLASS_NAME, "state").text))


def slowly(browser: webdriver.Chrome) -> None:
    browser.set_network_conditions(offline=False, latency=0, throughput=4 * MEBIBYTE)


def test_a_large_file_goes_on_when_the_connection_is_back(
    browser: webdriver.Chrome, deployment: Deployment, large: Path
) -> None:
    open_page(browser, deployment, deployment.origin)
    slowly(browser)
    give(browser, large)
    WebDriverWait(browser, 60).until(lambda _: percent(browser, large.name) > 20)
    browser.set_network_conditions(offline=True, latency=0, throughput=0)
    time.sleep(2)
    browser.delete_network_conditions()
    assert "Rows\n190,000" in row(browser, large.name, "succeeded").text


def test_a_large_file_goes_on_after_the_page_was_loaded_again(
    browser: webdriver.Chrome, deployment: Deployment, large: Path
) -> None:
    large.write_text(large.read_text().replace("text", "words"))
    open_page(browser, deployment, deployment.origin)
    slowly(browser)
    give(browser, large)
    WebDriverWait(browser, 60).until(lambda _: percent(browser, large.name) > 60)
    started = "return Object.values(localStorage).map(JSON.parse)"
    [kept] = browser.execute_script(started)
    open_page(browser, deployment, deployment.origin)
    give(browser, large)
    WebDriverWait(browser, 60).until(lambda _: percent(browser, large.name) > 30)
    browser.delete_network_conditions()
    row(browser, large.name, "succeeded")
    assert browser.execute_script(started) == []
    s3 = deployment.aws("s3")
    stored = s3.head_object(Bucket=deployment.bucket, Key=kept["key"])
    assert stored["ContentLength"] == large.stat().st_size


def test_a_large_file_is_paused_and_goes_on(
    browser: webdriver.Chrome, deployment: Deployment, large: Path
) -> None:
    large.write_text(large.read_text().replace("text", "pause"))
    open_page(browser, deployment, deployment.origin)
    slowly(browser)
    give(browser, large)
    WebDriverWait(browser, 60).until(lambda _: percent(browser, large.name) > 45)
    row(browser, large.name, "uploading").find_element(By.CLASS_NAME, "pause").click()
    paused = row(browser, large.name, "paused")
    total = browser.find_element(By.ID, "total-text").text
    time.sleep(1)
    assert browser.find_element(By.ID, "total-text").text == total
    button = paused.find_element(By.CLASS_NAME, "again")
    assert button.text == "Go on"
    button.click()
    WebDriverWait(browser, 60).until(lambda _: percent(browser, large.name) > 30)
    browser.delete_network_conditions()
    assert "Rows\n190,000" in row(browser, large.name, "succeeded").text


def test_a_folder_is_uploaded_with_the_folders_in_it(
    browser: webdriver.Chrome, deployment: Deployment, tmp_path: Path
) -> None:
    inner = tmp_path / "months" / "spring"
    inner.mkdir(parents=True)
    (tmp_path / "months" / "january.csv").write_text("a,b\n1,2\n")
    (inner / "april.csv").write_text("day,visitors\n2026-04-01,12\n2026-04-02,5\n,7\n")
    (inner / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    open_page(browser, deployment, deployment.origin)
    browser.find_element(By.ID, "folder-picker").send_keys(str(tmp_path / "months"))
    row(browser, "january.csv", "succeeded")
    table = row(browser, "april.csv", "succeeded")
    total = browser.find_element(By.ID, "total-text").text
    assert total == "2 of 2 done, 0 failed, 100 % of 51 bytes uploaded"
    table.find_element(By.CSS_SELECTOR, ".columns summary").click()
    lines = [line.text for line in table.find_elements(By.CSS_SELECTOR, ".columns tbody tr")]
    assert lines == ["day DATE 2026-04-01 2026-04-02 1", "visitors BIGINT 5 12 0"]
    shot(browser, "folder")


def test_the_browser_refuses_a_foreign_origin(
    browser: webdriver.Chrome, deployment: Deployment, table: Path
) -> None:
    open_page(browser, deployment, deployment.foreign_origin)
    service = browser.find_element(By.ID, "service")
    WebDriverWait(browser, 20).until(lambda _: service.get_attribute("data-state") == "bad")
    assert "does not accept requests from this page" in service.text
    give(browser, table)
    assert "cannot be reached" in row(browser, table.name, "failed").text
    shot(browser, "foreign-origin")


# From npm's registry, as a page would bundle it, with the integrity that the registry has of it.
UPPY = "uppy@6.0.1"
UPPY_SHA512 = (
    "2OONMUNUHGBNkfSjNpWDhleeCeqm2oP+8NJRSxkkFVLmm3BbE7S+XCm45+jp36z7PCRuogtm1FgYPKa0iKbYAQ=="
)


@pytest.fixture(scope="module")
def uppy(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Uppy as it is published: a script that defines `Uppy`."""
    npm, folder = shutil.which("npm"), tmp_path_factory.mktemp("uppy")
    if not npm:
        pytest.skip("no npm: install it to run the test of Uppy")
    got = subprocess.run(
        [npm, "pack", UPPY, "--silent"], cwd=folder, capture_output=True, text=True, check=False
    )
    if got.returncode:
        pytest.skip(f"npm's registry cannot be reached, so Uppy was not tested: {got.stderr}")
    [package] = folder.glob("*.tgz")
    content = package.read_bytes()
    assert base64.b64encode(hashlib.sha512(content).digest()).decode() == UPPY_SHA512
    with tarfile.open(package) as archive:
        script = archive.extractfile("package/dist/uppy.min.js")
        assert script is not None
        return script.read().decode()


def uppy_uploads(browser: webdriver.Chrome, api: str, name: str, rows: int) -> dict[str, Any]:
    """Let Uppy upload a table, in parts from 5 MiB on; return what it says of the file."""
    browser.set_script_timeout(120)
    answer: dict[str, Any] = browser.execute_async_script(
        """
        const [api, name, rows, done] = arguments;
        const uppy = new Uppy.Uppy().use(Uppy.AwsS3, {
          companionEndpoint: api,
          shouldUseMultipart: (file) => file.size > 5 * 1024 * 1024,
        });
        const lines = Array.from({ length: rows }, (_, n) => `${n},${String(n).padStart(100)}\\n`);
        uppy.addFile({ name, type: "text/csv", data: new Blob(["number,text\\n", ...lines]) });
        uppy.on("error", (error) => done({ error: String(error) }));
        uppy.upload().then((result) => {
          const [file] = result.successful;
          done(file ? { url: file.uploadURL, size: file.size } : { error: "failed" });
        });
        """,
        api,
        name,
        rows,
    )
    return answer


@pytest.mark.parametrize(("name", "rows"), [("small.csv", 1_000), ("large.csv", 190_000)])
def test_uppy_works_as_it_is(
    browser: webdriver.Chrome, deployment: Deployment, uppy: str, name: str, rows: int
) -> None:
    open_page(browser, deployment, deployment.origin)
    browser.execute_script(uppy)
    uploaded = uppy_uploads(browser, deployment.api, name, rows)
    assert "error" not in uploaded, uploaded
    # Uppy joins the form's address and the key, and the emulator's has no slash at its end.
    key = "uploads/" + unquote(uploaded["url"]).partition("uploads/")[2]
    found = requests.get(f"{deployment.api}/files/{quote(key)}?wait=20", timeout=60).json()
    assert (found["state"], found["size"]) == ("succeeded", uploaded["size"])
    assert found["result"]["details"]["rows"] == rows
