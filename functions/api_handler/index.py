"""Lambda function that answers the HTTP API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from aws_lambda_powertools import Logger
from botocore.config import Config

from api_handler.app import App
from api_handler.files import Files
from api_handler.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_lambda.client import LambdaClient
    from types_boto3_s3.client import S3Client

_SESSION = botocore.session.get_session()

# All that is asked of AWS is small; an answer must come within the 29 seconds of an integration.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    signature_version="s3v4",
)


def _s3() -> S3Client:
    return cast("S3Client", _SESSION.create_client("s3", config=_CONFIG))


def _lambda() -> LambdaClient:
    return cast("LambdaClient", _SESSION.create_client("lambda"))


def _app() -> App:
    settings = Settings.from_environment(os.environ)
    return App(settings, Files(settings, _s3(), _lambda), Logger())


# Made while the function starts, when Lambda gives more processor time than its memory size buys.
_APP = _app()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of an API Gateway REST API (Lambda proxy integration)."""
    return _APP.handle(event, context)
