"""What monitoring and `dialer status` ask."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from dialer.settings import Http
from dialer.web.models import Health, Status
from dialer.web.server import server_config
from tests.dialer.web.fake import FakeDesk

PATHS = ["/api/status", "/healthz", "/metrics"]


def client_from(app: FastAPI, peer: str, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=(peer, 50000)),
        base_url="http://192.168.1.10:8480",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.168.1.10", {}, 200),  # the machine's own address, which was called
        ("192.168.1.11", {}, 404),
        ("203.0.113.9", {}, 404),
        # a reverse proxy on this machine passes the world on
        ("127.0.0.1", {"X_Forwarded_For": "203.0.113.9"}, 404),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}, 404),
        ("203.0.113.9", {"X_Forwarded_For": "127.0.0.1"}, 404),
    ],
)
async def test_only_this_machine_may_look(
    app: FastAPI, path: str, peer: str, headers: dict[str, str], status: int
) -> None:
    async with client_from(app, peer, **headers) as client:
        assert (await client.get(path)).status_code == status


async def test_the_status_is_what_the_desk_says(client: httpx.AsyncClient, desk: FakeDesk) -> None:
    answer = await client.get("/api/status")
    assert Status.model_validate_json(answer.content) == await desk.status()


async def test_health_is_told_by_the_status_code(client: httpx.AsyncClient, desk: FakeDesk) -> None:
    assert (await client.get("/healthz")).status_code == 200
    desk.health = Health(ready=False, problems=("Asterisk is not connected",))
    answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "problems": ["Asterisk is not connected"]}


async def test_metrics_are_those_of_the_service(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert "yobirin_calls_placed_total 3.0" in answer.text


def test_the_server_writes_no_access_log_and_trusts_no_proxy(app: FastAPI) -> None:
    config = server_config(app, Http(host="127.0.0.1", port=8480))
    assert config.access_log is False
    assert config.proxy_headers is False


async def test_the_interface_describes_itself(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    assert "/api/result/{attempt_id}" in described["paths"]
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
