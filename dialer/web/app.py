"""The web app: an operator's page and interface, and the service's own pages."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry

from dialer.web import callback_routes, operator_routes, service_routes
from dialer.web.guard import Guard
from dialer.web.port import Desk
from dialer.web.refusals import answer_refusals
from rules.profile import Profile

BODY_LIMIT = 64 * 1024
"""Bytes; a result with the longest note in 4-byte characters is below 10,000."""
STATIC = Path(__file__).parent / "static"


def create_app(desk: Desk, profile: Profile, registry: CollectorRegistry) -> FastAPI:
    """The app for one service; `profile` is offered while there is no campaign.

    The documentation pages of FastAPI load scripts from elsewhere and are left out; `/openapi.json` is
    there.
    """
    app = FastAPI(
        title="Yobirin",
        version=version("yobirin"),
        docs_url=None,
        redoc_url=None,
        max_body_size=BODY_LIMIT,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # bodies name persons
    )
    app.state.desk = desk
    app.state.profile = profile
    app.state.registry = registry
    answer_refusals(app)
    app.add_middleware(Guard)
    app.include_router(operator_routes.router)
    app.include_router(callback_routes.router)
    app.include_router(service_routes.router)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.get("/", include_in_schema=False)(_page)
    return app


async def _page() -> FileResponse:
    return FileResponse(STATIC / "operator.html", media_type="text/html; charset=utf-8")
