"""The project's commands, run from its root as `python -m scripts.<name>`."""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# The commands make keys and events as the functions do: with `functions/uploads`.
sys.path.append(str(ROOT / "functions"))
LOCAL: Final = ROOT / ".local"
