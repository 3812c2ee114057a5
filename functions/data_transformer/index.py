"""Lambda handler: uploaded tables to typed files."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from data_transformer.core import Transformer
from data_transformer.settings import Settings
from uploads.aws import s3_client
from uploads.processing import Runner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from uploads.processing import Outcome


@functools.cache
def _runner() -> Runner:
    settings = Settings.from_environment(os.environ)
    return Runner(Transformer(settings), settings=settings, s3=s3_client(), logger=Logger())


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Outcome]:
    """Process an S3 notification; see `uploads.processing.Runner.run`."""
    return _runner().run(event, context)
