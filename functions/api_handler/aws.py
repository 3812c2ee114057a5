"""AWS clients: botocore alone, because boto3 lengthens a cold start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_lambda.client import LambdaClient
    from types_boto3_s3.client import S3Client

_SESSION: Final = botocore.session.get_session()

# All requests to AWS are small, and an answer must come within an integration's 29 seconds.
# Without the addressing style, botocore signs addresses of the global endpoint, from which S3
# redirects to the region: a browser follows no redirect of a preflight, and a form loses its file.
_CONFIG: Final = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    s3={"addressing_style": "virtual"},
    signature_version="s3v4",
)


def s3_client() -> S3Client:
    """Return a client whose signed addresses work in a browser."""
    return cast("S3Client", _SESSION.create_client("s3", config=_CONFIG))


def lambda_client() -> LambdaClient:
    """Return a client for the one route that invokes functions."""
    return cast("LambdaClient", _SESSION.create_client("lambda"))
