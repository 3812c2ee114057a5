"""The project's commands, run from its root as `python -m scripts.<name>`."""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# The commands make keys and events as the functions do, with `functions/uploads`, and call the API
# with the client that users get.
sys.path += [str(ROOT / "functions"), str(ROOT / "examples" / "python-client")]
LOCAL: Final = ROOT / ".local"
