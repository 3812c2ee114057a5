"""Follows the steps of CONTRIBUTING.md that add a function, in a copy of the tree."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from scripts import LOCAL, ROOT

WALK = (ROOT / "CONTRIBUTING.md").read_text().partition("## Ten minutes to a function\n")[2]
MAP = Path("modules", "serverless_stack", "functions.tf")
NOT_COPIED = shutil.ignore_patterns(
    *(".git", ".venv", ".local", ".terraform", "build", "*.tfstate*", ".*_cache", "__pycache__")
)


def test_a_function_is_one_folder_and_one_entry(tmp_path: Path) -> None:
    copy = tmp_path / "tree"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    (copy / ".local").mkdir()
    (copy / ".local" / "emulator").symlink_to(LOCAL / "emulator")
    [code] = re.findall(r"```python\n(.*?)```", WALK, re.DOTALL)
    entry, kinds = re.findall(r"```hcl\n(.*?)```", WALK, re.DOTALL)

    (copy / "functions" / "line_count").mkdir()
    (copy / "functions" / "line_count" / "index.py").write_text(code)
    before = (copy / MAP).read_text()
    added = before.replace("_shipped_processors = {\n", f"_shipped_processors = {{\n{entry}", 1)
    (copy / MAP).write_text(re.sub(r"      kinds       = \{ \"\.log.*\n", kinds, added))
    assert '".text"' in (copy / MAP).read_text()

    # Not this test again, and not what knows no functions by name.
    others = "lambda_with_dlq or rest_api or s3_uploads or refused or refusal or readmes"
    ignored = f"tests/plan/{Path(__file__).name}"
    options = ["-q", "-p", "no:cacheprovider", "--ignore", ignored, "-k", f"not ({others})"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/plan", *options],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
