"""The CLI reference is made from the code."""

from __future__ import annotations

from dialer.cli.app import EXIT_CODES
from dialer.errors import YobirinError
from scripts.cli_docs import TARGET, document


def test_the_reference_in_docs_is_what_the_command_says() -> None:
    # if not: python -m scripts.cli_docs
    assert TARGET.read_text(encoding="utf-8") == document()


def _kinds(of: type[YobirinError]) -> set[type[YobirinError]]:
    return {of}.union(*(_kinds(kind) for kind in of.__subclasses__()))


def test_every_error_has_a_documented_exit_status() -> None:
    codes = {kind.exit_code for kind in _kinds(YobirinError)}
    assert codes - EXIT_CODES.keys() == set()
