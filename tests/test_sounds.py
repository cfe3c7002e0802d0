"""What callers may hear is one list: in the documents, in the profile, in the dialplan and in the answers."""

from __future__ import annotations

import re
from pathlib import Path

from dialer.ami import contract
from dialer.clock import SystemClock
from dialer.profiles import load_profile
from rules import sounds

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "sounds.md").read_text(encoding="utf-8")
TEXTS = load_profile("nagaoka-r8", SystemClock().now().date()).texts
WITHOUT_WORDS = {contract.SOUND_BEEP, contract.SOUND_CONNECT, contract.SOUND_SILENCE}
SPOKEN = {
    "courtesy": TEXTS.courtesy,
    "voicemail": TEXTS.voicemail,
    "guidance": TEXTS.guidance,
    **TEXTS.callers,
}


def in_the_document() -> dict[str, str]:
    """File → text: in a row's first and last cell, or one after the other in a list."""
    rows = re.findall(r"^\| `([a-z0-9-]+)\.wav` \|[^|]*\| (.+) \|$", DOCUMENT, re.MULTILINE)
    listed = re.findall(r"^(?:- |  )(.*`\.?.*)$", DOCUMENT, re.MULTILINE)
    parts = [pair for line in listed for pair in re.findall(r"`([a-z0-9-]+)\.wav` ([^·]+)", line)]
    assert len({name for name, _ in rows + parts}) == len(rows + parts), "one is there twice"
    return {name: text.strip() for name, text in rows + parts}


def test_the_document_lists_every_sound_with_its_text() -> None:
    told = in_the_document()
    assert told.keys() == set(contract.SOUNDS)
    assert {name: told[name] for name in SPOKEN} == SPOKEN
    assert all(told[name].startswith("–") for name in WITHOUT_WORDS)


def test_every_sound_has_a_text_in_the_profile_or_no_words_at_all() -> None:
    assert SPOKEN.keys() | WITHOUT_WORDS == set(contract.SOUNDS)
    assert len(set(contract.SOUNDS)) == len(contract.SOUNDS)
    assert not SPOKEN.keys() & WITHOUT_WORDS


def test_the_dialplan_plays_nothing_else() -> None:
    named = set()
    for template in (ROOT / "asterisk-conf").glob("*.j2"):
        text = template.read_text(encoding="utf-8")
        named |= set(re.findall(r"contract\.(SOUND_\w+)", text))
        # a file of our folder is named by the contract, or is what was answered (STRREPLACE, filtered)
        for after in re.findall(r"sounds(?:_dir \| conf)? \}\}/(.{0,30})", text):
            assert after.startswith(("{{ contract.SOUND_", "$", ",", ")")), (template.name, after)
    played = {getattr(contract, name) for name in named}
    assert played <= set(contract.SOUNDS)
    assert set(contract.DIALPLAN_SOUNDS) <= played, "one is on the list and never heard"


def test_no_text_names_a_person_an_amount_or_arrears() -> None:
    for name, text in {**SPOKEN, **sounds.TEXTS}.items():
        assert TEXTS.forbidden_in(text) is None, name
        assert not re.search(r"[様殿円¥￥{}]", text), name
    for word in ("滞納", "未納", "納付", "督促", "保険料", "円"):
        assert word in TEXTS.forbidden_words


def test_callers_hear_whom_they_have_reached() -> None:
    for name in ("wait", "guidance", "leave-message", "asked-back"):
        assert "長岡市役所" in SPOKEN[name]
    assert not any("長岡" in text for text in sounds.TEXTS.values()), "another city's profile"
