"""Checks a deployed environment from outside, as its users and AWS see it.

Uploads a picture of a few pixels and a table of two lines, waits for their results, and removes all
of it again. Changes nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image

from scripts import ROOT
from scripts.operations.dead_letters import Queue
from scripts.operations.options import positive
from scripts.operations.progress import bad, good, plain
from uploads.keys import PROCESSED_PREFIX, UPLOADS_PREFIX, kind_of, starts_function
from uploads_client import ApiError, Client, authorization

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from types_boto3_cloudwatch.type_defs import MetricAlarmTypeDef
    from types_boto3_lambda.type_defs import GetFunctionResponseTypeDef

    from scripts.operations.environment import Environment
    from scripts.operations.progress import Screen

BUILD: Final = ROOT / "build"

# A check is to take seconds: of more uploads it does not know how many no function reads.
_MOST_UPLOADS: Final = 10_000
_TABLE: Final = b"name,count\na,1\n"
# The API's answers to callers that it does not know.
_REFUSED: Final = frozenset({401, 403})
_ALARMS_ARE_EXPLAINED: Final = "docs/operations.md explains each alarm"


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check: the finding and, if it failed, the fix."""

    name: str
    ok: bool
    found: str
    fix: str = ""


def checks(
    environment: Environment, *, build: Path, round_trip_seconds: float | None
) -> Iterator[Check]:
    """Check one thing after the other.

    Args:
        environment: what to check.
        build: folder with the zips that should be deployed.
        round_trip_seconds: how long a result may take; None uploads nothing.
    """
    yield Check("outputs", ok=True, found=f"bucket {environment.bucket}, API {environment.api_url}")
    for function in environment.function_names:
        yield from _guarded(f"{function}: deployed", _function, environment, function, build)
    yield from _guarded("notifications", _notifications, environment)
    yield from _guarded("uploads", _uploads, environment)
    for function in environment.function_names:
        yield from _guarded(f"{function}: queue", _queue, environment, function)
        name = environment.function_name(function)
        watched = {name, environment.queue_url(function).rpartition("/")[2]}
        yield from _guarded(f"{function}: alarms", _alarms, environment, function, name, watched)
    for target in environment.event_targets:
        yield from _guarded(f"{target}: events", _event_target, environment, target)
        yield from _guarded(f"{target}: queue", _queue, environment, target)
        queue = environment.queue_url(target).rpartition("/")[2]
        prefix = queue.removesuffix("-dlq")
        yield from _guarded(f"{target}: alarms", _alarms, environment, target, prefix, {queue})
    api = str(environment.outputs["api_name"])
    yield from _guarded("API: alarms", _alarms, environment, "API", api, {api})
    yield from _guarded("API: logs", _logging_role, environment)
    with httpx.Client(
        timeout=60, auth=authorization(environment.api_url, environment.session)
    ) as http:
        client = Client(environment.api_url, http)
        yield from _guarded("API: status", _status, environment, client)
        if round_trip_seconds is not None:
            for name, content in (("doctor.png", picture()), ("doctor.csv", _TABLE)):
                yield from _guarded(
                    f"round trip: {name}",
                    _round_trip,
                    environment,
                    client,
                    name,
                    content,
                    round_trip_seconds,
                )


def _guarded[**P](
    name: str, check: Callable[P, Iterator[Check]], *args: P.args, **kwargs: P.kwargs
) -> Iterator[Check]:
    """Turn an error of AWS, the network or the API into a failed check, so that the rest runs."""
    try:
        yield from check(*args, **kwargs)
    except (ApiError, BotoCoreError, ClientError, httpx.HTTPError) as error:
        fix = "apply the environment; on AccessDenied, use credentials with that permission"
        if isinstance(error, ApiError) and error.status in _REFUSED:
            fix = "credentials that may call the API, or a user's token in UPLOADS_TOKEN"
        yield Check(name, ok=False, found=str(error), fix=fix)


def _function(environment: Environment, function: str, build: Path) -> Iterator[Check]:
    answer = environment.functions.get_function(FunctionName=environment.function_name(function))
    configuration = answer["Configuration"]
    yield _health(environment, function, answer)
    name = f"{function}: code"
    zipped = build / f"{function}-{configuration['Architectures'][0]}.zip"
    if not zipped.is_file():
        yield Check(
            name, ok=False, found=f"there is no {zipped.name} to compare with", fix="make package"
        )
        return
    local = base64.b64encode(hashlib.sha256(zipped.read_bytes()).digest()).decode()
    code = configuration["CodeSha256"]
    yield Check(
        name,
        ok=local == code,
        found=f"{code} deployed" + ("" if local == code else f", {local} in {zipped.name}"),
        fix=f"terraform apply, to deploy {zipped.name}; or check out the deployed version and "
        "`make package`",
    )


def _health(environment: Environment, function: str, answer: GetFunctionResponseTypeDef) -> Check:
    name = f"{function}: deployed"
    configuration = answer["Configuration"]
    state, update = configuration.get("State"), configuration.get("LastUpdateStatus")
    if state != "Active" or update != "Successful":
        return Check(
            name,
            ok=False,
            found=f"state {state}, last update {update}: "
            f"{configuration.get('StateReason') or configuration.get('LastUpdateStatusReason')}",
            fix="wait a minute if it is Pending or InProgress, else apply again",
        )
    if answer.get("Concurrency", {}).get("ReservedConcurrentExecutions") == 0:
        return Check(
            name,
            ok=False,
            found="switched off: its reserved concurrency is 0",
            fix="terraform apply sets it to what the configuration says",
        )
    queue = environment.queue_url(function).rpartition("/")[2]
    target = configuration.get("DeadLetterConfig", {}).get("TargetArn", "")
    return Check(
        name,
        ok=target.endswith(f":{queue}"),
        found=f"active, dead letters to {target or 'nowhere'}",
        fix=f"terraform apply sets its dead-letter queue to {queue}",
    )


def _notifications(environment: Environment) -> Iterator[Check]:
    answer = environment.s3.get_bucket_notification_configuration(Bucket=environment.bucket)
    there = set()
    for configuration in answer.get("LambdaFunctionConfigurations", []):
        # The ARN of a version or an alias has an eighth part.
        name = configuration["LambdaFunctionArn"].split(":")[6]
        rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        values = {rule["Name"].lower(): rule["Value"] for rule in rules}
        if any(event.startswith("s3:ObjectCreated:") for event in configuration["Events"]):
            there.add((name, values.get("prefix", ""), values.get("suffix", "")))
    missing = [
        f"{extension} → {function}"
        for function, extensions in environment.processors.items()
        for extension in extensions
        if (environment.function_name(function), UPLOADS_PREFIX, extension) not in there
    ]
    yield Check(
        "notifications",
        ok=not missing,
        found=f"missing: {', '.join(missing)}" if missing else f"{len(there)} in place",
        fix="terraform apply; for files uploaded meanwhile: "
        f"make reprocess ENV={environment.name} ARGS='--state pending'",
    )


def _uploads(environment: Environment) -> Iterator[Check]:
    """Unprocessed files are not a fault, but nothing else reports them."""
    kinds = {kind for endings in environment.processors.values() for kind in endings}
    pages = environment.s3.get_paginator("list_objects_v2").paginate(
        Bucket=environment.bucket,
        Prefix=UPLOADS_PREFIX,
        PaginationConfig={"MaxItems": _MOST_UPLOADS},
    )
    found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    idle = [key for key in found if not starts_function(key, kinds)]
    odd = sum(kind_of(key, kinds) is not None for key in idle)
    text = f"{len(found):,}{' or more' if len(found) == _MOST_UPLOADS else ''}"
    if idle:
        text += f", of which {len(idle):,} started no function (such as {idle[0]})"
    if odd:
        text += (
            f"; {odd:,} of these have a known ending in an unusual spelling, which "
            f"`make reprocess ENV={environment.name}` takes"
        )
    yield Check("uploads", ok=True, found=text)


def _queue(environment: Environment, function: str) -> Iterator[Check]:
    level = Queue(environment.sqs, environment.queue_url(function)).level()
    yield Check(
        f"{function}: queue",
        ok=not level.waiting and not level.in_flight,
        found=f"{level.waiting} waiting, {level.in_flight} in flight",
        fix=f"make redrive ENV={environment.name} FUNCTION={function} ARGS=--dry-run",
    )


def _event_target(environment: Environment, name: str) -> Iterator[Check]:
    """Check that events reach a receiver: rule, target, and a webhook's credentials."""
    rule = environment.outputs["event_targets"][name]["rule_name"]
    where = environment.outputs["event_bus"]["name"]
    events = environment.events
    state = events.describe_rule(Name=rule, EventBusName=where)["State"]
    targets = events.list_targets_by_rule(Rule=rule, EventBusName=where)["Targets"]
    faults = []
    if state != "ENABLED":
        faults.append(f"the rule is {state}")
    if not targets:
        faults.append("the rule has no target")
    if any("DeadLetterConfig" not in target for target in targets):
        faults.append("undelivered events go to no queue")
    fix = f"terraform apply restores rule {rule} of {where}"
    for arn in [target["Arn"] for target in targets if ":api-destination/" in target["Arn"]]:
        destination = events.describe_api_destination(Name=arn.split("/")[1])
        connection = destination["ConnectionArn"].split("/")[1]
        credentials = events.describe_connection(Name=connection)["ConnectionState"]
        if credentials != "AUTHORIZED":
            faults.append(f"connection {connection} is {credentials}")
            fix = f"aws events update-connection --name {connection}, with credentials that work"
    arns = ", ".join(target["Arn"] for target in targets)
    yield Check(
        f"{name}: events", ok=not faults, found="; ".join(faults) or f"sent to {arns}", fix=fix
    )


def _alarms(
    environment: Environment, owner: str, prefix: str, watched: set[str]
) -> Iterator[Check]:
    pages = environment.cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{prefix}-", AlarmTypes=["MetricAlarm"]
    )
    # Another environment's name may begin with this one's.
    alarms = [a for page in pages for a in page["MetricAlarms"] if watched & set(_dimensions(a))]
    loud = sorted(a["AlarmName"] for a in alarms if a["StateValue"] == "ALARM")
    if not alarms:
        yield Check(
            f"{owner}: alarms",
            ok=False,
            found="there are none",
            fix="terraform apply, with alarms.enabled",
        )
        return
    yield Check(
        f"{owner}: alarms",
        ok=not loud,
        found=f"in alarm: {', '.join(loud)}" if loud else f"{len(alarms)} quiet",
        fix=_ALARMS_ARE_EXPLAINED,
    )


def _logging_role(environment: Environment) -> Iterator[Check]:
    """API Gateway writes logs with a role of the region; it writes none, silently, without it."""
    if environment.is_emulated:  # the emulator needs no role
        return
    if not environment.api_log_group:
        yield Check("API: logs", ok=True, found="off")
        return
    role = environment.apigateway.get_account().get("cloudwatchRoleArn")
    missing = f"none: API Gateway has no role to write logs with in {environment.region}"
    yield Check(
        "API: logs",
        ok=bool(role),
        found=f"written with {role}" if role else missing,
        fix="terraform -chdir=envs/account apply, which makes the role; or switch the logs off: "
        "api_logging_enabled = false",
    )


def _dimensions(alarm: MetricAlarmTypeDef) -> Iterator[str]:
    """Return the values of an alarm's dimensions, those of its metric math included."""
    yield from (dimension["Value"] for dimension in alarm.get("Dimensions", []))
    for query in alarm.get("Metrics", []):
        dimensions = query.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
        yield from (dimension["Value"] for dimension in dimensions)


def _status(environment: Environment, client: Client) -> Iterator[Check]:
    status = client.status()
    configuration = environment.functions.get_function_configuration(
        FunctionName=environment.function_name("api_handler")
    )
    code = configuration["CodeSha256"]
    yield Check(
        "API: status",
        ok=status["status"] == "ok" and status["version"] == code,
        found=f"{status['status']}, version {status['version']}",
        fix=f"terraform apply: the deployed code is {code}",
    )


def _round_trip(
    environment: Environment, client: Client, name: str, content: bytes, seconds: float
) -> Iterator[Check]:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        # Without a checksum, by which the API could answer with somebody's file, not to be removed.
        form = client.start(name)
        client.send(form, path)
    key = form["key"]
    try:
        found = client.wait(key, seconds)
    finally:
        left = _remove(environment, key)
    yield Check(
        f"round trip: {name}",
        ok=found["state"] == "succeeded",
        found=f"{found['state']} after {time.monotonic() - started:.1f} s{left}",
        fix=f"make logs ENV={environment.name} KEY={key}",
    )


def _remove(environment: Environment, key: str) -> str:
    """Remove every version of an upload and its outputs; return the keys that remain."""
    folder = key.removeprefix(UPLOADS_PREFIX).rpartition("/")[0]
    pages = environment.s3.get_paginator("list_object_versions")
    try:
        for prefix in (UPLOADS_PREFIX, PROCESSED_PREFIX):
            for page in pages.paginate(Bucket=environment.bucket, Prefix=f"{prefix}{folder}/"):
                for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    environment.s3.delete_object(
                        Bucket=environment.bucket, Key=entry["Key"], VersionId=entry["VersionId"]
                    )
    except ClientError as error:
        return f"; {key} stays, since it may not be removed: {error}"
    return ""


def picture() -> bytes:
    """Return a PNG file of 8 by 8 grey pixels."""
    content = io.BytesIO()
    Image.new("L", (8, 8), 128).save(content, "PNG")
    return content.getvalue()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--no-round-trip", action="store_true", help="read only: upload no picture and no table"
    )
    parser.add_argument(
        "--seconds",
        type=positive(float),
        default=60.0,
        help="how long the result of an upload may take (default: 60)",
    )


def run(options: argparse.Namespace, environment: Environment, screen: Screen) -> int:
    """Run the command; return its exit status."""
    seconds = None if options.no_round_trip else options.seconds
    outcomes: list[Check] = []
    with screen.progress("Checking …") as progress:
        for check in checks(environment, build=BUILD, round_trip_seconds=seconds):
            outcomes.append(check)
            progress()
    screen.table(
        ["Check", "", "Found", "Fix"],
        [
            [
                plain(check.name),
                good("ok") if check.ok else bad("bad"),
                plain(check.found),
                "" if check.ok else bad(check.fix),
            ]
            for check in outcomes
        ],
    )
    red = sum(not check.ok for check in outcomes)
    screen.say(f"{len(outcomes) - red} of {len(outcomes)} checks are good.")
    screen.result({"ok": not red, "checks": [_json(check) for check in outcomes]})
    return 1 if red else 0


def _json(check: Check) -> dict[str, Any]:
    return asdict(check) | {"fix": None if check.ok else check.fix}
