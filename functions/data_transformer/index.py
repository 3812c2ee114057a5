"""Lambda function that turns uploaded tables into typed files."""

from uploads import start

# isort: split
import os
from typing import Final

from data_transformer.core import Transformer
from data_transformer.settings import Settings
from uploads.processing import lambda_handler

# Made while the function starts, when Lambda gives more processor time than its memory size buys.
_SETTINGS: Final = Settings.from_environment(os.environ)
handler: Final = lambda_handler(Transformer(_SETTINGS), _SETTINGS)

start.done()
