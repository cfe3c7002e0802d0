"""The sounds that make up an answer to a caller, and what each one says.

Names are those of files, without suffix. The dialplan plays others of its own accord: `wait` and so on
(`dialer.ami.contract`); their texts are here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

GUIDANCE: Final = "guidance"
POSITIONS: Final = range(1, 10)
POSITION_MORE: Final = "wait-position-more"
MINUTES: Final = (1, 2, 3, 5, 10, 15, 20, 30)
"""Waits that can be told."""
KEYS_BOTH: Final = "wait-keys-both"
KEYS_MESSAGE: Final = "wait-keys-message"
NEXT_OPEN: Final = "next-open"
"""Followed by a month, a day, a weekday and an hour: parts of one sentence."""

_WEEKDAYS: Final = "月火水木金土日"


def position(number: int) -> str:
    """Says which in line a caller is, from 1."""
    return f"wait-position-{number}" if number in POSITIONS else POSITION_MORE


def wait_minutes(minutes: int) -> str:
    """Says how long a wait is likely to be; one of `MINUTES`."""
    return f"wait-minutes-{minutes}"


def month(number: int) -> str:
    """Says a month, 1-12."""
    return f"month-{number}"


def day(number: int) -> str:
    """Says a day of the month, 1-31."""
    return f"day-{number}"


def weekday(number: int) -> str:
    """Says a day of the week, 0 (Monday) to 6."""
    return f"weekday-{number}"


def hour(number: int) -> str:
    """Says from which hour of the day on, 0-23; ends the sentence."""
    return f"hour-{number}"


def ordered(message_id: int) -> str:
    """A message the city ordered (§11(2)オ): its own sound, in none of the lists."""
    return f"ordered-{message_id}"


TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "wait": "お電話ありがとうございます。担当者におつなぎいたしますので、そのままお待ちください。",
        **{position(n): f"ただいま、{n}番目にお待ちいただいております。" for n in POSITIONS},
        POSITION_MORE: "ただいま、10人以上の方にお待ちいただいております。",
        **{wait_minutes(n): f"およそ{n}分でおつなぎできる見込みです。" for n in MINUTES},
        KEYS_BOTH: "順番にこちらからお電話することもできます。ご希望の方は1を、"
        "伝言を残される方は2を押してください。",
        KEYS_MESSAGE: "伝言を残される方は、2を押してください。",
        "asked-back": "承りました。順番がまいりましたら、こちらからお電話いたします。"
        "お電話ありがとうございました。",
        "leave-message": "ただいま担当者がおつなぎできず、申し訳ございません。発信音のあとに、"
        "お名前、お電話番号、ご用件をお話しください。終わりましたら、シャープを押してください。",
        "message-taken": "伝言をお預かりいたしました。お電話ありがとうございました。",
        NEXT_OPEN: "次の受付は、",
        **{month(n): f"{n}月" for n in range(1, 13)},
        day(1): "ついたち",  # 1日 would be read いちにち
        **{day(n): f"{n}日" for n in range(2, 32)},
        **{weekday(n): f"{name}曜日" for n, name in enumerate(_WEEKDAYS)},
        **{hour(n): f"午前{n}時からです。" for n in range(12)},
        hour(12): "正午からです。",
        **{hour(n): f"午後{n - 12}時からです。" for n in range(13, 24)},
    }
)
"""What is said where a profile says nothing else, by name. None of them names a city."""

ANSWERS: Final = (
    GUIDANCE,
    POSITION_MORE,
    KEYS_BOTH,
    KEYS_MESSAGE,
    NEXT_OPEN,
    *(position(n) for n in POSITIONS),
    *(wait_minutes(n) for n in MINUTES),
    *(month(n) for n in range(1, 13)),
    *(day(n) for n in range(1, 32)),
    *(weekday(n) for n in range(7)),
    *(hour(n) for n in range(24)),
)
"""All that `rules.answering` names, beside messages the city ordered."""
