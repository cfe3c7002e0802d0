"""The operator's page as files: complete, and deaf to HTML in the city's file."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from dialer.web.app import STATIC

SCRIPTS = sorted(path.name for path in STATIC.glob("*.js"))


async def test_everything_the_page_names_is_served(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    named = set(re.findall(r'(?:src|href)="(/[^"]+)"', page))
    for script in SCRIPTS:
        text = (STATIC / script).read_text(encoding="utf-8")
        named |= {f"/static/{name}" for name in re.findall(r'from "\./([^"]+)"', text)}
    assert {f"/static/{script}" for script in SCRIPTS} <= named
    for path in named:
        assert (await client.get(path)).status_code == 200, path


async def test_the_page_itself_needs_no_token_and_holds_no_person(
    client: httpx.AsyncClient,
) -> None:
    del client.headers["Authorization"]
    answer = await client.get("/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_turns_text_into_html(script: str) -> None:
    text = (STATIC / script).read_text(encoding="utf-8")
    words = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|srcdoc|DOMParser"
    assert not re.search(words, text)


@pytest.mark.parametrize("page", sorted(path.name for path in STATIC.glob("*.html")))
def test_a_page_holds_no_inline_script_or_style(page: str) -> None:
    text = (STATIC / page).read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=", text)


def test_every_element_the_scripts_look_for_is_in_the_page() -> None:
    page = (STATIC / "operator.html").read_text(encoding="utf-8")
    for script in SCRIPTS:
        text = Path(STATIC / script).read_text(encoding="utf-8")
        for name in re.findall(r'\$\("#([a-z-]+)', text):
            assert f'id="{name}"' in page, f"{script}: #{name}"
