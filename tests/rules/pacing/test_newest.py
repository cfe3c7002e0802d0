"""What was made of the newest argument is made once."""

from __future__ import annotations

from rules.pacing.newest import Newest


def test_only_what_was_made_of_the_newest_argument_is_remembered() -> None:
    asked: list[list[int]] = []

    def total(of: list[int]) -> int:
        asked.append(of)
        return sum(of)

    newest, one, other = Newest(total), [1, 2], [1, 2]
    assert [newest(of) for of in (one, one, other, other, one)] == [3] * 5
    # one that is equal is not the same
    assert [of is one for of in asked] == [True, False, True]
