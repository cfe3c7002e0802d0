"""What monitoring and `dialer status` ask; only from this machine, and nothing about persons."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from dialer.web.access import DeskHere, loopback_only
from dialer.web.models import Health, Status

router = APIRouter(tags=["service"], dependencies=[Depends(loopback_only)])


@router.get("/api/status")
async def status(desk: DeskHere) -> Status:
    """What is going on, in numbers."""
    return await desk.status()


@router.get("/healthz", responses={503: {"model": Health}})
async def healthz(desk: DeskHere, response: Response) -> Health:
    """200 while calls can be placed, 503 with the problems while they cannot."""
    health = desk.healthy()
    response.status_code = 200 if health.ready else 503
    return health


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
