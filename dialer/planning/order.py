"""What a planning process is told, on its standard input."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel


class Order(BaseModel):
    """One plan to make."""

    database: str
    """Its URL."""
    campaign: str
    now: AwareDatetime
    by: str
    """Who is named as its maker."""
