#!/bin/sh
# Prints the path of a working Python 3.12, wherever the usual installers put one.
# A name on PATH is not enough: a version manager's shim exists and fails, so each candidate is run.
set -u

# Prints the real path of the interpreter "$1" (of a shim or a virtual environment: what it stands on), or fails.
real_path() {
  [ -n "$1" ] && "$1" -c '
import ensurepip, sys, venv
if sys.version_info[:2] != (3, 12):
    sys.exit(1)
print(sys._base_executable)' 2>/dev/null
}

for candidate in \
  "${PYTHON:-}" \
  "$(command -v python3.12)" \
  "$(command -v python3)" \
  "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python3.12 \
  "$HOME"/.local/share/uv/python/cpython-3.12*/bin/python3.12 \
  "$HOME"/.local/share/mise/installs/python/3.12*/bin/python3.12 \
  "$HOME"/.asdf/installs/python/3.12*/bin/python3.12 \
  /opt/homebrew/bin/python3.12 \
  /usr/local/bin/python3.12 \
  /usr/bin/python3.12; do
  real_path "$candidate" && exit 0
done

cat >&2 <<'MESSAGE'
error: no Python 3.12 with venv and ensurepip was found: AWS Lambda runs 3.12, so the tests do too.
Install it (for example `pyenv install 3.12`, `brew install python@3.12`, `apt-get install python3.12-venv`),
or say where it is: `make PYTHON=/path/to/python3.12`.
MESSAGE
exit 1
