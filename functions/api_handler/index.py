"""Lambda function that answers the HTTP API."""

from __future__ import annotations

from uploads import start

# isort: split
import os
from typing import TYPE_CHECKING, Any, Final

from api_handler.app import App
from api_handler.aws import lambda_client, s3_client
from api_handler.files import Files
from api_handler.settings import Settings
from uploads.log import json_logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Made while the function starts, when Lambda gives more processor time than its memory size buys.
_SETTINGS: Final = Settings.from_environment(os.environ)
_APP: Final = App(_SETTINGS, Files(_SETTINGS, s3_client(), lambda_client), json_logger())

start.done()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of an API Gateway REST API (Lambda proxy integration)."""
    return _APP.handle(event, context)
