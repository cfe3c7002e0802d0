"""The app on a fake desk, asked in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter

from dialer.profiles import load_profile
from dialer.web.app import create_app
from tests.dialer.web.fake import TOKEN, FakeDesk


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def app(desk: FakeDesk) -> FastAPI:
    registry = CollectorRegistry()
    Counter("yobirin_calls_placed", "Calls placed.", registry=registry).inc(3)
    return create_app(desk, load_profile("nagaoka-r8", date(2026, 9, 24)), registry)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("127.0.0.1", 50000)),
        base_url="http://127.0.0.1:8480",
        headers={"Authorization": f"Bearer {TOKEN}"},
    ) as client:
        yield client
