"""Lambda function that turns uploaded tables into typed files."""

from __future__ import annotations

from uploads import start

# isort: split
import os
from typing import TYPE_CHECKING, Any, Final

from data_transformer.core import Transformer
from data_transformer.settings import Settings
from uploads.aws import s3_client
from uploads.log import json_logger
from uploads.processing import Runner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from uploads.processing import Outcome

# Made while the function starts, when Lambda gives more processor time than its memory size buys.
_SETTINGS: Final = Settings.from_environment(os.environ)
_RUNNER: Final = Runner(
    Transformer(_SETTINGS), settings=_SETTINGS, s3=s3_client(), logger=json_logger()
)

start.done()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Outcome]:
    """Process an S3 notification; see `uploads.processing.Runner.run`."""
    return _RUNNER.run(event, context)
