"""Writes Asterisk's configuration from the settings; nobody edits what it writes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address
from pathlib import Path

import jinja2

from agi.settings import Agi
from dialer.ami import contract
from dialer.clock import SystemClock
from dialer.errors import SettingsError
from dialer.profiles import load_profile
from dialer.settings import Secrets, Settings
from rules.answering import Do
from rules.sounds import KEYS_MESSAGE

_TEMPLATES = Path(__file__).resolve().parents[1] / "asterisk-conf"
_PRIVATE = frozenset({"manager.conf", "pjsip.conf"})
"""Files with passwords in them: mode 0600."""
_UNSAFE_IN_DIALPLAN = re.compile(r"[^\w./+-]")


def dialplan_version() -> str:
    """Twelve hex digits that change with the templates or with the strings shared with them."""
    digest = hashlib.sha256(Path(contract.__file__).read_bytes())
    for template in sorted(_TEMPLATES.glob("*.j2")):
        digest.update(template.name.encode() + b"\0" + template.read_bytes())
    return digest.hexdigest()[:12]


def render(settings: Settings, secrets: Secrets, settings_path: Path, directory: Path) -> str:
    """Write every configuration file; what is already right is not touched.

    Args:
        settings_path: named in each file's first line, so that its reader knows where to change things.
        directory: what Asterisk takes as its configuration folder; made if missing.

    Returns:
        The dialplan's version (`dialplan_version`).

    Raises:
        SettingsError: a value cannot stand in Asterisk's configuration, or a file cannot be written.
    """
    version = dialplan_version()
    values = _values(settings, secrets, directory) | {"version": version}
    head = f"; Written from {_conf(settings_path.resolve())}; changes made here are lost.\n"
    texts = {
        name.removesuffix(".j2"): head + template.render(values) for name, template in _templates()
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _keep(directory / name, text, 0o600 if name in _PRIVATE else 0o644)
    except OSError as error:
        raise SettingsError(f"{directory}: cannot be written ({error.strerror})") from error
    return version


def _templates() -> Iterator[tuple[str, jinja2.Template]]:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (no HTML: `conf` and `section` guard what is inserted)
    )
    environment.filters["conf"] = _conf
    environment.filters["section"] = _section
    for name in environment.list_templates(extensions=["j2"]):
        yield name, environment.get_template(name)


def _values(settings: Settings, secrets: Secrets, directory: Path) -> dict[str, object]:
    trunk = settings.trunk
    if trunk.auth == "registration" and not (trunk.username and trunk.password):
        raise SettingsError("trunk.auth: registration needs trunk.username and trunk.password")
    return {
        "contract": contract,
        "secrets": secrets,
        "ami": settings.ami,
        "asterisk": settings.asterisk,
        "caller_id": settings.caller_id,
        "operators": settings.operators,
        "trunk": trunk,
        "etc_dir": _conf(directory.resolve()),
        "manager_nets": _manager_nets(settings),
        "patience_s": load_profile(settings.service.profile, SystemClock().now().date()).patience_s,
        "attempt": f"${{{contract.ATTEMPT}}}",
        "operator": f"${{{contract.OPERATOR}}}",
        "journal": f"DB({contract.JOURNAL}/${{{contract.ATTEMPT}}})",
        "sounds": _argument("sounds_dir", settings.asterisk.sounds_dir),
    } | _callback_values(settings)


def _callback_values(settings: Settings) -> dict[str, object]:
    callback = f"${{{contract.CALLBACK_ID}}}"
    journal = f"DB({contract.CALLBACK_JOURNAL}/{callback})"
    messages = _argument("messages_dir", settings.asterisk.messages_dir)
    return {
        "Do": Do,
        "KEYS_MESSAGE": KEYS_MESSAGE,
        "agi": _authority(settings.agi),
        "callback": callback,
        "called": f"${{{contract.CALLED}}}",
        "do": f"${{{contract.DO}}}",
        "play": f"${{{contract.PLAY}}}",
        "callback_journal": journal,
        "callback_journal_read": f"${{{journal}}}",
        "message_file": f"{messages}/{callback}.wav",
    }


def _authority(agi: Agi) -> str:
    """Where Asterisk asks, as part of an address."""
    if not re.fullmatch(r"[A-Za-z0-9.-]+", agi.host):
        raise SettingsError("agi.host: must be a name or an IPv4 address")
    return f"{agi.host}:{agi.port}"


def _manager_nets(settings: Settings) -> list[IPv4Network]:
    """The manager serves this host; a dialer elsewhere only from the local networks."""
    loopback = IPv4Network("127.0.0.0/8")
    try:
        address = ip_address(settings.ami.host)
    except ValueError:
        raise SettingsError("ami.host: must be an IP address, for Asterisk listens there") from None
    if address.is_loopback:
        return [loopback]
    return [loopback, *settings.asterisk.local_net]


def _conf(value: object) -> str:
    """A value that ends where its line ends.

    Raises:
        SettingsError: it has a control character, or blanks that Asterisk would cut off.
    """
    text = str(value)
    if not text.isprintable() or text != text.strip():
        raise SettingsError("a setting has a line break or another character Asterisk cannot read")
    return text.replace(";", "\\;")


def _section(value: object) -> str:
    """A name that can stand in a section's brackets."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", str(value)):
        raise SettingsError("ami.user: only letters, digits, - and _")
    return str(value)


def _argument(name: str, path: Path) -> str:
    """A path that can be an application's argument in the dialplan."""
    if _UNSAFE_IN_DIALPLAN.search(str(path)):
        raise SettingsError(f"asterisk.{name}: only letters, digits and . / _ + -")
    return str(path)


def _keep(path: Path, text: str, mode: int) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        path.chmod(mode)
        return
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    if os.geteuid() == 0:  # Asterisk seldom runs as root, and has to read its own passwords
        owner = path.parent.stat()
        os.chown(new, owner.st_uid, owner.st_gid)
    new.replace(path)
