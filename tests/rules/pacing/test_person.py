"""A phone's own chance, as people answer at present."""

from __future__ import annotations

import pytest

from rules.pacing.estimates import Estimates, Truth

CHANCES = [
    # a phone's own chance, by how much odds are better than believed; what is believed of it now
    (None, 1.0, 0.35),
    (0.5, 1.0, 0.5),
    (0.5, 3.0, 0.75),
    (0.2, 0.5, 1 / 9),
    (0.0, 3.0, 0.0),
    (1.0, 0.5, 1.0),
]


@pytest.mark.parametrize(("own_chance", "odds", "believed"), CHANCES)
def test_a_phones_own_chance_is_corrected_by_how_people_answer_at_present(
    own_chance: float | None, odds: float, believed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Truth, "odds", odds)
    assert Estimates().person(own_chance) == pytest.approx(believed)
