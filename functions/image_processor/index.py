"""Entry point of the image function."""

from __future__ import annotations

import os
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from image_processor.core import process
from image_processor.settings import Settings
from uploads.aws import s3_client
from uploads.processing import Outcome, Runner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _runner() -> Runner:
    settings = Settings.from_environment(os.environ)
    core = partial(process, settings=settings)
    return Runner(core, settings=settings, s3=s3_client(), logger=Logger())


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Outcome]:
    """Make thumbnails and a description of every picture of an S3 event."""
    return _runner().run(event, context)


# Lambda gives the initialisation a whole processor, the first invocation only a share of one.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _runner()
