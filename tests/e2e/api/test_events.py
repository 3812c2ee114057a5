"""Each result reaches each receiver at least once: a webhook, a queue and a topic, under faults."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, override

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from receiver import Receiver
from scripts import ROOT, terraform
from scripts.operations import __main__ as operate
from tests.e2e.api.conftest import WEBHOOK_KEY
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.api.conftest import Deployment

SLOW = 0  # a fault of the webhook, beside the statuses of HTTP
_SCHEMA = json.loads((ROOT / "docs" / "events.schema.json").read_text())


class Webhook(Receiver):
    """The example's receiver, which answers as `faults` says before it works again."""

    def __init__(self, database: Path) -> None:
        super().__init__(str(database), WEBHOOK_KEY)
        self.faults: list[int] = []
        self.requests = 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}/uploads"

    @override
    def finish_request(self, request: Any, client_address: Any) -> None:
        self.requests += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault is None:
            super().finish_request(request, client_address)
        elif fault == SLOW:
            time.sleep(6)  # EventBridge waits for five seconds
            super().finish_request(request, client_address)
        else:
            request.recv(65536)
            request.sendall(f"HTTP/1.1 {fault} No\r\nContent-Length: 0\r\n\r\n".encode())

    def events(self, key: str) -> list[dict[str, Any]]:
        """Return the stored events about an upload."""
        with self.connect() as connection:
            rows = connection.execute("SELECT detail FROM events").fetchall()
        details = [json.loads(detail) for (detail,) in rows]
        return [detail for detail in details if detail["key"] == key]


@pytest.fixture
def webhook(tmp_path: Path) -> Iterator[Webhook]:
    """The receiver behind the webhook's address, which leads nowhere at first."""
    with Webhook(tmp_path / "results.sqlite") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _lead(deployment: Deployment, url: str) -> None:
    """Have the webhook's address lead to a server of this machine, as DNS would."""
    deployment.aws("events").update_api_destination(
        Name="serverless-uploads-local-crm", InvocationEndpoint=url
    )


def _upload(deployment: Deployment, key: str, body: bytes = b"a,b\n1,2\n") -> None:
    deployment.aws("s3").put_object(Bucket=deployment.bucket, Key=key, Body=body)


class _Untrusted:
    """A server with a certificate that nobody trusts; counts the clients that leave."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        file = folder / "certificate.pem"
        form = serialization.PrivateFormat.PKCS8
        file.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, form, plain))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(file)
        self.refusals = 0
        self.requests = 0

    def serve(self) -> http.server.HTTPServer:
        """Return a running server; its `server_close` ends it."""
        outer = self

        class Server(http.server.ThreadingHTTPServer):
            @override
            def finish_request(self, request: Any, client_address: Any) -> None:
                try:
                    with outer.context.wrap_socket(request, server_side=True):
                        outer.requests += 1
                except ssl.SSLError:
                    outer.refusals += 1

            @override
            def shutdown_request(
                self, request: socket.socket | tuple[bytes, socket.socket]
            ) -> None:
                """Leave the socket, which `wrap_socket` closed."""

        server = Server(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


def test_a_webhook_gets_each_result_in_spite_of_faults(
    deployment: Deployment, webhook: Webhook, tmp_path: Path
) -> None:
    """Away, with a wrong certificate, broken, slow and busy: tried again until it is taken."""
    untrusted = _Untrusted(tmp_path)
    with untrusted.serve() as server:
        _lead(deployment, f"https://127.0.0.1:{server.server_address[1]}/uploads")
        _upload(deployment, "uploads/events/good.tsv")
        eventually(lambda: untrusted.refusals > 0)
        server.shutdown()
    assert untrusted.requests == 0
    _lead(deployment, "http://127.0.0.1:9/away")
    time.sleep(3)
    webhook.faults = [500, SLOW, 429]
    _lead(deployment, webhook.url)
    eventually(lambda: bool(webhook.events("uploads/events/good.tsv")))
    eventually(lambda: webhook.requests > 3)
    [detail] = webhook.events("uploads/events/good.tsv")
    jsonschema.validate(detail, _SCHEMA)
    s3 = deployment.aws("s3")
    # The outputs of a sent result exist.
    for key in (detail["result_key"], *(output["key"] for output in detail["outputs"])):
        assert s3.head_object(Bucket=deployment.bucket, Key=key)


def test_what_a_webhook_refuses_waits_for_a_redrive(
    deployment: Deployment, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "uploads/events/refused.tsv"
    webhook.faults = [400] * 50
    _lead(deployment, webhook.url)
    _upload(deployment, key)
    queue = deployment.outputs["event_targets"]["crm"]["queue_url"]
    message = _receive(deployment, queue, key)
    assert message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"].endswith("status 400")
    webhook.faults = []
    _redrive(deployment, "crm", monkeypatch)
    eventually(lambda: bool(webhook.events(key)))


def test_a_queue_and_a_topic_get_the_events_that_they_want(deployment: Deployment) -> None:
    urls = deployment.outputs["queue_urls"]
    _upload(deployment, "uploads/wanted/good.csv")
    _upload(deployment, "uploads/wanted/bad.CSV", b"")
    _upload(deployment, "uploads/wanted/other.json", b"[]")
    for name, key, kind in (
        ("tables", "uploads/wanted/good.csv", "FileSucceeded"),
        ("news", "uploads/wanted/good.csv", "FileSucceeded"),
        ("news", "uploads/wanted/other.json", "FileRejected"),
    ):
        event = json.loads(_receive(deployment, urls[name], key)["Body"])
        assert (event["source"], event["detail-type"]) == ("serverless-uploads", kind)


def test_a_queue_that_lets_nobody_in_loses_nothing(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "uploads/closed/bad.csv"
    _upload(deployment, key, b"")
    target = deployment.outputs["event_targets"]["closed"]
    message = _receive(deployment, target["queue_url"], key)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    sqs, url = deployment.aws("sqs"), deployment.outputs["queue_urls"]["closed"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn["QueueArn"],
        "Condition": {"ArnEquals": {"aws:SourceArn": target["rule_arn"]}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    _redrive(deployment, "closed", monkeypatch)
    assert json.loads(_receive(deployment, url, key)["Body"])["detail"]["error"] == "empty_file"


def _redrive(deployment: Deployment, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in deployment.cloud.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(terraform.Terraform, "outputs", lambda _: deployment.outputs)
    assert operate.main(["redrive", name, "--env", str(deployment.folder)]) == 0


def _receive(deployment: Deployment, queue_url: str, key: str) -> dict[str, Any]:
    """Return a message about an upload; it stays in the queue, as do those of other tests."""
    sqs = deployment.aws("sqs")
    receipts: list[str] = []
    end = time.monotonic() + 120
    try:
        while True:
            assert time.monotonic() < end, f"no message about {key}"
            answer = sqs.receive_message(
                QueueUrl=queue_url,
                WaitTimeSeconds=1,
                MaxNumberOfMessages=10,
                VisibilityTimeout=120,
                MessageAttributeNames=["All"],
            )
            for message in answer.get("Messages", []):
                receipts.append(message["ReceiptHandle"])
                if json.loads(message["Body"])["detail"]["key"] == key:
                    found: dict[str, Any] = message
                    return found
    finally:
        for receipt in receipts:
            sqs.change_message_visibility(
                QueueUrl=queue_url, ReceiptHandle=receipt, VisibilityTimeout=0
            )
