"""The specification, line by line, held against the plan of every environment.

Each test is named after the line that it checks.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.plan.harness import Workspace
from tests.plan.planned import KNOWN_AFTER_APPLY, Json, Plan
from uploads.keys import starts_function

ACCOUNT = "000000000000"
ENVIRONMENTS = {
    # by environment: suffix, and the case that gives no more than must be given
    "local": ("laptop", "local/cases/minimal.tfvars"),
    "dev": ("pr-7", "dev/cases/minimal.tfvars"),
    "prod": ("prod", "prod/cases/required.tfvars"),
}
FUNCTIONS = {
    # by module: name, memory in MB, timeout in seconds and handler
    "image_processor": ("image-processor", 512, 300, "image_processor.index.handler"),
    "data_transformer": ("data-transformer", 256, 180, "data_transformer.index.handler"),
    "api_handler": ("api-handler", 128, 30, "api_handler.index.handler"),
}
CREDENTIALS = ("access_key", "secret_key")
EVERY_FUNCTION = pytest.mark.parametrize("function", FUNCTIONS)


class Environment:
    """An environment's plan and the suffix of its names."""

    def __init__(self, name: str, plan: Plan) -> None:
        self.name = name
        self.suffix = ENVIRONMENTS[name][0]
        self.plan = plan

    @property
    def functions(self) -> set[str]:
        """Names of all functions, those of the specification among them."""
        return {f["function_name"] for f in self.plan.of_type("aws_lambda_function").values()}

    @property
    def processors(self) -> set[str]:
        """Names of the functions that uploads start."""
        return self.functions - {f"api-handler-{self.suffix}"}

    @property
    def provider(self) -> dict[str, Json]:
        """The provider's arguments as they are written: constants and references."""
        written: dict[str, Json] = self.plan.raw["configuration"]["provider_config"]["aws"]
        arguments: dict[str, Json] = written["expressions"]
        return arguments

    def stack(self, address: str) -> dict[str, Json]:
        return self.plan.resources[f"module.stack.{address}"]

    def of(self, function: str, address: str) -> dict[str, Json]:
        return self.stack(f'module.functions["{function}"].{address}')

    def policy(self, function: str, address: str) -> dict[str, dict[str, Json]]:
        return self.plan.policy(f'module.stack.module.functions["{function}"].{address}')

    def statements(self, function: str) -> dict[str, dict[str, Json]]:
        return self.policy(function, "aws_iam_role_policy.this")


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest, workspace: Workspace) -> Environment:
    name = request.param
    return Environment(name, workspace.plan(name, Path(__file__).parent / ENVIRONMENTS[name][1]))


# --- Bucket --------------------------------------------------------------------------------------


def test_bucket_name_has_suffix_and_account(environment: Environment) -> None:
    bucket = environment.stack("module.uploads.aws_s3_bucket.this")
    assert bucket["bucket"] == f"serverless-uploads-{environment.suffix}-{ACCOUNT}"


def test_bucket_is_versioned(environment: Environment) -> None:
    versioning = environment.stack("module.uploads.aws_s3_bucket_versioning.this")
    assert versioning["versioning_configuration"][0]["status"] == "Enabled"


def test_bucket_is_encrypted(environment: Environment) -> None:
    encryption = environment.stack(
        "module.uploads.aws_s3_bucket_server_side_encryption_configuration.this"
    )
    default = encryption["rule"][0]["apply_server_side_encryption_by_default"][0]
    assert default["sse_algorithm"] == "AES256"


def test_bucket_blocks_public_access(environment: Environment) -> None:
    block = environment.stack("module.uploads.aws_s3_bucket_public_access_block.this")
    for setting in (
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    ):
        assert block[setting] is True, setting


def test_bucket_refuses_old_tls(environment: Environment) -> None:
    policy = environment.plan.policy("module.stack.module.uploads.aws_s3_bucket_policy.this")
    assert policy["RefuseOldTls"]["Effect"] == "Deny"
    assert policy["RefuseOldTls"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}


def test_bucket_aborts_unfinished_uploads_and_expires_old_versions(
    environment: Environment,
) -> None:
    lifecycle = environment.stack("module.uploads.aws_s3_bucket_lifecycle_configuration.this")
    rule = lifecycle["rule"][0]
    assert rule["abort_incomplete_multipart_upload"][0]["days_after_initiation"] == 7
    assert rule["noncurrent_version_expiration"][0]["noncurrent_days"] == 30


def test_bucket_is_emptied_on_destroy_only_where_it_is_disposable(environment: Environment) -> None:
    bucket = environment.stack("module.uploads.aws_s3_bucket.this")
    assert bucket["force_destroy"] is (environment.name != "prod")


@pytest.mark.parametrize(
    ("function", "suffixes"),
    [
        ("image_processor", {".jpg", ".jpeg", ".png"}),
        ("data_transformer", {".json", ".csv"}),
    ],
)
def test_bucket_starts_functions_for_uploads_by_suffix(
    environment: Environment, function: str, suffixes: set[str]
) -> None:
    notification = environment.stack("module.uploads.aws_s3_bucket_notification.this[0]")
    filters = [f for f in notification["lambda_function"] if f["id"].startswith(f"{function}:")]
    kinds = {f["filter_suffix"].lower() for f in filters}
    assert suffixes <= kinds
    # The API decides by the same spellings whether a file starts a function.
    assert len(filters) == sum(3 if kind.count(".") == 1 else 2 for kind in kinds)
    assert all(starts_function(f"uploads/1/a{f['filter_suffix']}", kinds) for f in filters)
    assert {f["filter_prefix"] for f in filters} == {"uploads/"}
    assert {event for f in filters for event in f["events"]} == {"s3:ObjectCreated:*"}


def test_bucket_invokes_only_the_processors_and_only_from_this_account(
    environment: Environment,
) -> None:
    allowed = {
        address: values
        for address, values in environment.plan.of_type("aws_lambda_permission").items()
        if values["principal"] == "s3.amazonaws.com"
    }
    assert {values["function_name"] for values in allowed.values()} == environment.processors
    for permission in allowed.values():
        assert permission["source_account"] == ACCOUNT
        assert permission["source_arn"].endswith(f"-{environment.suffix}-{ACCOUNT}")


# --- Functions -----------------------------------------------------------------------------------


@EVERY_FUNCTION
def test_function_has_name_runtime_memory_and_timeout(
    environment: Environment, function: str
) -> None:
    name, memory, timeout, handler = FUNCTIONS[function]
    planned = environment.of(function, "aws_lambda_function.this")
    assert planned["function_name"] == f"{name}-{environment.suffix}"
    assert planned["runtime"] == "python3.12"
    assert planned["memory_size"] == memory
    assert planned["timeout"] == timeout
    assert planned["handler"] == handler


@EVERY_FUNCTION
def test_function_has_no_exec_wrapper(environment: Environment, function: str) -> None:
    planned = environment.of(function, "aws_lambda_function.this")
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in planned["environment"][0]["variables"]


@EVERY_FUNCTION
def test_function_retries_twice_and_then_keeps_the_event_for_14_days(
    environment: Environment, function: str
) -> None:
    invocation = environment.of(function, 'aws_lambda_function_event_invoke_config.this["$LATEST"]')
    queue = environment.of(function, "aws_sqs_queue.dead_letter")
    target = environment.of(function, "aws_lambda_function.this")["dead_letter_config"][0]
    name = f"{FUNCTIONS[function][0]}-{environment.suffix}-dlq"
    assert invocation["maximum_retry_attempts"] == 2
    assert queue["name"] == name
    assert queue["message_retention_seconds"] == 14 * 24 * 60 * 60
    assert target["target_arn"].endswith(f":{name}")


@EVERY_FUNCTION
def test_dead_letter_queue_is_encrypted_and_refuses_plain_http(
    environment: Environment, function: str
) -> None:
    queue = environment.of(function, "aws_sqs_queue.dead_letter")
    policy = environment.policy(function, "aws_sqs_queue.dead_letter")
    assert queue["sqs_managed_sse_enabled"] is True
    assert policy["RefusePlainHttp"]["Effect"] == "Deny"
    assert policy["RefusePlainHttp"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@EVERY_FUNCTION
def test_function_logs_json_to_its_own_group(environment: Environment, function: str) -> None:
    logging = environment.of(function, "aws_lambda_function.this")["logging_config"][0]
    assert logging["log_format"] == "JSON"
    assert logging["log_group"] == environment.of(function, "aws_cloudwatch_log_group.this")["name"]


@EVERY_FUNCTION
def test_function_has_an_alarm_on_its_dead_letter_queue(
    environment: Environment, function: str
) -> None:
    alarm = environment.of(function, 'aws_cloudwatch_metric_alarm.this["dead-letters"]')
    name = f"{FUNCTIONS[function][0]}-{environment.suffix}-dlq"
    assert alarm["dimensions"] == {"QueueName": name}
    assert bool(alarm["alarm_actions"]) is (environment.name == "prod")


@EVERY_FUNCTION
def test_function_log_group_is_kept_7_days_and_longer_in_production(
    environment: Environment, function: str
) -> None:
    group = environment.of(function, "aws_cloudwatch_log_group.this")
    assert group["name"] == f"/aws/lambda/{FUNCTIONS[function][0]}-{environment.suffix}"
    assert group["retention_in_days"] == (365 if environment.name == "prod" else 7)


@EVERY_FUNCTION
def test_function_role_has_no_wildcard(environment: Environment, function: str) -> None:
    for sid, statement in environment.statements(function).items():
        assert not [action for action in statement["Action"] if "*" in action], sid
        # X-Ray, and EC2 where it only reads, know no resources.
        if sid not in {"Trace", "SeeNetwork"}:
            assert "*" not in statement["Resource"], sid


@pytest.mark.parametrize("function", ["image_processor", "data_transformer"])
def test_processor_reads_uploads_and_writes_outputs(
    environment: Environment, function: str
) -> None:
    bucket = f"arn:aws:s3:::serverless-uploads-{environment.suffix}-{ACCOUNT}"
    assert _on_bucket(environment.statements(function)) == {
        "s3:GetObject": {f"{bucket}/uploads/*", f"{bucket}/processed/*"},
        "s3:GetObjectVersion": {f"{bucket}/uploads/*"},
        "s3:PutObject": {f"{bucket}/processed/*"},
        "s3:DeleteObject": {f"{bucket}/processed/*"},
        "s3:ListBucket": {bucket},
        "s3:ListBucketVersions": {bucket},
    }


def test_api_handler_writes_uploads_alone(environment: Environment) -> None:
    bucket = f"arn:aws:s3:::serverless-uploads-{environment.suffix}-{ACCOUNT}"
    assert _on_bucket(environment.statements("api_handler")) == {
        "s3:PutObject": {f"{bucket}/uploads/*"},
        "s3:GetObject": {f"{bucket}/uploads/*", f"{bucket}/processed/*"},
        "s3:ListBucket": {bucket},
    }


def _on_bucket(statements: Mapping[str, dict[str, Json]]) -> dict[str, set[str]]:
    resources: dict[str, set[str]] = {}
    for statement in statements.values():
        for action in statement["Action"]:
            if action.startswith("s3:"):
                resources.setdefault(action, set()).update(statement["Resource"])
    return resources


# --- API -----------------------------------------------------------------------------------------


def test_api_has_name_and_stage(environment: Environment) -> None:
    api = environment.stack("module.api.aws_api_gateway_rest_api.this")
    assert api["name"] == f"serverless-api-{environment.suffix}"
    assert environment.stack("module.api.aws_api_gateway_stage.this")["stage_name"] == "prod"


def test_api_has_four_routes_that_prod_authorises(environment: Environment) -> None:
    integrations = environment.plan.of_type("aws_api_gateway_integration")
    served = [
        method
        for address, method in environment.plan.of_type("aws_api_gateway_method").items()
        if integrations[address.replace("_method.", "_integration.")]["type"] != "MOCK"
    ]
    assert sorted(m["http_method"] for m in served) == ["GET", "GET", "GET", "POST"]
    expected = "AWS_IAM" if environment.name == "prod" else "NONE"
    assert {m["authorization"] for m in served} == {expected}


def test_api_is_throttled_to_1000_per_second_and_2000_at_once(environment: Environment) -> None:
    settings = environment.stack("module.api.aws_api_gateway_method_settings.stage")["settings"][0]
    assert settings["throttling_rate_limit"] == 1000
    assert settings["throttling_burst_limit"] == 2000


def test_api_answers_browsers_only_where_origins_are_named(environment: Environment) -> None:
    methods = environment.plan.of_type("aws_api_gateway_method").values()
    paths = [m for m in methods if m["http_method"] == "OPTIONS"]
    # The case of prod names no origin; elsewhere each path answers any.
    assert len(paths) == (0 if environment.name == "prod" else 3)


def test_api_has_an_access_log_that_is_kept_as_long_as_the_others(
    environment: Environment,
) -> None:
    group = environment.stack("module.api.aws_cloudwatch_log_group.access[0]")
    assert group["name"] == f"/aws/apigateway/serverless-api-{environment.suffix}/prod/access"
    assert group["retention_in_days"] == (365 if environment.name == "prod" else 7)
    (written,) = environment.stack("module.api.aws_api_gateway_stage.this")["access_log_settings"]
    assert "$context.requestId" in written["format"]


def test_api_writes_no_request_bodies_to_its_log(environment: Environment) -> None:
    settings = environment.stack("module.api.aws_api_gateway_method_settings.stage")["settings"][0]
    assert settings["data_trace_enabled"] is False


# --- Everything ----------------------------------------------------------------------------------


def test_everything_is_tagged(environment: Environment) -> None:
    for address, values in environment.plan.resources.items():
        if "tags_all" not in values or not isinstance(values.get("tags"), dict):
            continue
        assert values["tags"] == {
            "Project": "ServerlessInfrastructure",
            "Environment": environment.suffix,
            "CostCenter": "Engineering",
            "ManagedBy": "Terraform",
        }, address


def test_every_name_has_the_suffix(environment: Environment) -> None:
    for kind, attribute in (
        ("aws_s3_bucket", "bucket"),
        ("aws_lambda_function", "function_name"),
        ("aws_sqs_queue", "name"),
        ("aws_iam_role", "name"),
        ("aws_cloudwatch_log_group", "name"),
        ("aws_cloudwatch_metric_alarm", "alarm_name"),
        ("aws_cloudwatch_dashboard", "dashboard_name"),
        ("aws_api_gateway_rest_api", "name"),
    ):
        for address, values in environment.plan.of_type(kind).items():
            # The gateway names its execution log after the API's id.
            if values[attribute] != KNOWN_AFTER_APPLY:
                assert f"-{environment.suffix}" in values[attribute], address


def test_outputs_are_those_of_the_specification(environment: Environment) -> None:
    assert environment.plan.outputs.keys() >= {
        "api_gateway_url",
        "s3_bucket_name",
        "image_processor_arn",
        "data_transform_arn",
        "api_handler_arn",
    }


def _widgets(environment: Environment) -> dict[str, dict[str, Json]]:
    body = environment.stack("aws_cloudwatch_dashboard.this")["dashboard_body"]
    return {w["properties"]["title"]: w["properties"] for w in json.loads(body)["widgets"]}


def _shown(widget: dict[str, Json]) -> set[tuple[str, str]]:
    """Names of the widget's metrics, and what each is of."""
    return {(metric[1], metric[3]) for metric in widget["metrics"]}


def test_dashboard_shows_traffic_errors_and_latency_of_the_api(environment: Environment) -> None:
    widgets, api = _widgets(environment), f"serverless-api-{environment.suffix}"
    requests, latency = widgets["API: requests and errors"], widgets["API: latency (ms)"]
    assert _shown(requests) == {(name, api) for name in ("Count", "4XXError", "5XXError")}
    assert _shown(latency) == {("Latency", api)}
    assert [metric[-1]["stat"] for metric in latency["metrics"]] == ["p50", "p95", "p99"]


@pytest.mark.parametrize(
    ("title", "metric"),
    [
        ("Functions: invocations", "Invocations"),
        ("Functions: errors", "Errors"),
        ("Functions: throttles", "Throttles"),
        ("Functions: executions at the same time", "ConcurrentExecutions"),
    ],
)
def test_dashboard_shows_every_function(environment: Environment, title: str, metric: str) -> None:
    shown = _shown(_widgets(environment)[title])
    assert shown == {(metric, name) for name in environment.functions}


@EVERY_FUNCTION
def test_dashboard_shows_duration_against_the_timeout(
    environment: Environment, function: str
) -> None:
    name, _, timeout, _ = FUNCTIONS[function]
    title = f"{name}-{environment.suffix}: duration against its timeout (ms)"
    widget = _widgets(environment)[title]
    assert _shown(widget) == {("Duration", f"{name}-{environment.suffix}")}
    assert widget["annotations"]["horizontal"] == [{"label": "timeout", "value": timeout * 1000}]


def test_dashboard_shows_the_depth_of_every_queue(environment: Environment) -> None:
    queues = {f"{name}-dlq" for name in environment.functions}
    widget = _widgets(environment)["Events that failed for good (waiting in the queues)"]
    assert _shown(widget) == {("ApproximateNumberOfMessagesVisible", queue) for queue in queues}


def test_dashboard_shows_the_objects_of_the_bucket(environment: Environment) -> None:
    widgets = _widgets(environment)
    bucket = environment.stack("module.uploads.aws_s3_bucket.this")["bucket"]
    assert _shown(widgets["Bucket: objects (once a day)"]) == {("NumberOfObjects", bucket)}
    assert _shown(widgets["Bucket: bytes (once a day)"]) == {("BucketSizeBytes", bucket)}


def test_dashboard_counts_uploads(environment: Environment) -> None:
    widgets = _widgets(environment)
    processors = {name.removesuffix(f"-{environment.suffix}") for name in environment.processors}
    assert _shown(widgets["Uploads: requested, succeeded, rejected"]) == {
        ("UploadsAsked", "api-handler"),
        *(("UploadsSucceeded", name) for name in processors),
        *(("UploadsRejected", name) for name in processors),
    }
    assert _shown(widgets["Uploads: time to process (ms)"]) == {
        ("ProcessingTime", name) for name in processors
    }


def test_alarms_have_a_receiver_or_are_unattended(environment: Environment) -> None:
    assert environment.plan.warnings == []


def test_production_is_protected_from_destruction(environment: Environment) -> None:
    guarded = "terraform_data.deletion_protection" in environment.plan.resources
    assert guarded is (environment.name == "prod")


def test_production_runs_on_arm(environment: Environment) -> None:
    functions = environment.plan.of_type("aws_lambda_function").values()
    # The local case enables it, too.
    expected = ["x86_64"] if environment.name == "dev" else ["arm64"]
    assert all(f["architectures"] == expected for f in functions)


def test_production_traces_functions_and_logs_no_bodies(environment: Environment) -> None:
    functions = environment.plan.of_type("aws_lambda_function").values()
    modes = {f["tracing_config"][0]["mode"] for f in functions}
    assert modes == {"Active" if environment.name == "prod" else "PassThrough"}


def test_production_and_local_accept_one_account_alone(environment: Environment) -> None:
    accepted = environment.provider.get("allowed_account_ids")
    assert accepted == {
        "prod": {"references": ["var.account_id"]},
        # An account that AWS gives nobody.
        "local": {"constant_value": [ACCOUNT]},
        "dev": None,
    }.get(environment.name)


def test_local_has_credentials_that_aws_refuses(environment: Environment) -> None:
    keys = {environment.provider.get(k, {}).get("constant_value") for k in CREDENTIALS}
    assert keys == ({"test"} if environment.name == "local" else {None})
