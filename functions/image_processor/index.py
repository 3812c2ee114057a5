"""Lambda function that makes thumbnails and descriptions of uploaded pictures."""

from uploads import start

# isort: split
import os
from functools import partial
from typing import Final

from image_processor.core import process
from image_processor.settings import Settings
from uploads.processing import lambda_handler

# Made while the function starts, when Lambda gives more processor time than its memory size buys.
_SETTINGS: Final = Settings.from_environment(os.environ)
handler: Final = lambda_handler(partial(process, settings=_SETTINGS), _SETTINGS)

start.done()
