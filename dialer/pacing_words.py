"""How supervisors are told why calls come to operators the way they do."""

from __future__ import annotations

from rules.pacing.snapshot import Why

WHY: dict[Why, str] = {
    Why.ORDERED: "as the profile says",
    Why.FEW_OPERATORS: "fewer than two operators take calls",
    Why.FEW_DATA: "too few calls were seen to predict from",
    Why.AMI_UNHEALTHY: "Asterisk answers late",
    Why.CREDIT_SPENT: "today's abandoned calls allow no further one",
}
"""Why the mode in force is the one it is."""
