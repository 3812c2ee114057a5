"""Lambda function that answers the HTTP API."""

from __future__ import annotations

import gc

# What is loaded now stays for good; the collector's looking through it is a tenth of the start.
gc.disable()

import os
from typing import TYPE_CHECKING, Any, Final

# Not for use here. It compiles large patterns, and botocore imports it so deep that CPython's calls
# then run across the edge of a block of its stack, where each maps memory and unmaps it again.
# Imported from here, it takes a third of the time; that is a sixteenth of the start.
import urllib3  # noqa: F401 - see above
from aws_lambda_powertools import Logger

from api_handler.app import App
from api_handler.aws import lambda_client, s3_client
from api_handler.files import Files
from api_handler.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Made while the function starts, when Lambda gives more processor time than its memory size buys.
_SETTINGS: Final = Settings.from_environment(os.environ)
_APP: Final = App(_SETTINGS, Files(_SETTINGS, s3_client(), lambda_client), Logger())

gc.freeze()
gc.enable()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of an API Gateway REST API (Lambda proxy integration)."""
    return _APP.handle(event, context)
