"""`dialer profile …`: the contract as a file, and which one a campaign is called by."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_json, print_table
from dialer.cli.work import DAY, AsJson, By, Installation, installation, now, parse_day

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from rules.profile import Profile

app = typer.Typer(help="Contract profiles: the numbers, outcomes and texts of one city's contract.")

PROFILE = "NAME|FILE"
_HELP = "One that ships, by its name, or a file ending in .yaml."

Name = Annotated[str, typer.Argument(metavar=PROFILE, help=_HELP)]
On = Annotated[
    date | None,
    typer.Option("--on", parser=parse_day, metavar=DAY, help="As in force on this day."),
]
Campaign = Annotated[str, typer.Option("--campaign", help="The campaign's name.")]


@app.command()
def check(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar=f"{PROFILE}...", help=_HELP)],
    as_json: AsJson = False,
) -> None:
    """Check profiles: every fault with its file and line."""
    from rules.profile import ProfileError

    checked = [_checked(name) for name in names]
    if as_json:
        print_json(checked)
    else:
        for one in checked:
            _print_checked(one)
    if any(one["faults"] for one in checked):
        ctx.exit(ProfileError.exit_code)


def _checked(name: str) -> dict[str, Any]:
    from dialer.profiles import parsed, read_profile
    from rules.profile import ProfileError
    from rules.profile_file import ProfileFaultsError

    one: dict[str, Any] = {"profile": name, "faults": [], "changes": []}
    try:
        profile = parsed(read_profile(name))
    except ProfileFaultsError as error:
        one["faults"] = [
            {"line": fault.line, "field": fault.field, "message": fault.message}
            for fault in error.faults
        ]
    except ProfileError as error:
        one["faults"] = [{"line": None, "field": None, "message": str(error)}]
    else:
        one["changes"] = [form.since for form in profile.timeline.forms[1:]]
    return one


def _print_checked(one: dict[str, Any]) -> None:
    for fault in one["faults"]:
        if fault["line"] is None:
            print(fault["message"])
        else:
            print(f"{one['profile']}:{fault['line']}: {fault['field']}: {fault['message']}")
    if not one["faults"]:
        changes = ", ".join(map(str, one["changes"]))
        print(f"{one['profile']}: can be used" + (f"; changes on {changes}" if changes else ""))


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar=PROFILE, help=_HELP)] = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", help="The one this campaign is called by.")
    ] = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Show what is in force on a day (default: today): values, where they are written, outcomes."""
    from dialer.profiles import load_profile

    if (name is None) == (campaign is None):
        raise typer.BadParameter(f"give either {PROFILE} or --campaign")
    day = on or now().date()
    if name is not None:
        profile = load_profile(name, day)
    else:
        assert campaign is not None
        profile = _of_campaign(installation(ctx), campaign, day)
    if as_json:
        print_json(_as_json(profile, day))
    else:
        _print_profile(profile, day)


def _of_campaign(here: Installation, name: str, day: date) -> Profile:
    from db import campaigns
    from dialer.months import profile_of

    async def work(session: AsyncSession) -> Profile:
        return await profile_of(session, await campaigns.get(session, name), day)

    return here.read(work)


def _as_json(profile: Profile, day: date) -> dict[str, Any]:
    from rules.profile_view import values_in_force

    return {
        "profile": profile.name,
        "title": profile.title,
        "city": profile.city,
        "on": day,
        "values": {
            one.name: {"value": one.value, "from": one.since, "clause": one.clause}
            for one in values_in_force(profile, day)
        },
        **profile.model_dump(
            mode="json",
            include={"outcomes", "talk_results", "causes", "wishes", "script", "texts", "intake"},
        ),
    }


def _print_profile(profile: Profile, day: date) -> None:
    from rules.profile_view import text_of, values_in_force

    print(f"{profile.name}: {profile.title}, {profile.city}; in force on {day}")
    print_table(
        ("value", "is", "from", "clause"),
        (
            (one.name, text_of(one.value), one.since, one.clause)
            for one in values_in_force(profile, day)
        ),
    )
    print_table(
        ("outcome", "label", "clause", "effect", "counted", "contact", "by"),
        (
            (
                code,
                of.label,
                f"§{of.clause}" if of.clause else "",
                of.effect,
                of.counted,
                of.contact,
                " ".join(of.by),
            )
            for code, of in profile.outcomes.items()
        ),
    )


@app.command()
def diff(ctx: typer.Context, before: Name, after: Name, on: On = None) -> None:
    """Show in what two profiles differ, on one day or on all. Status 1 if they do."""
    from dialer.profiles import parsed, read_profile

    pair = parsed(read_profile(before)), parsed(read_profile(after))
    changes = {form.since for one in pair for form in one.timeline.forms}
    if _print_differences(*pair, sorted(changes) if on is None else [on]):
        ctx.exit(1)


def _print_differences(before: Profile, after: Profile, days: list[date]) -> bool:
    """Print those of the first day, and for every later one what is then another; whether there are
    any."""
    from rules.profile_view import differences

    known: list[str] = []
    different = False
    for day in days:
        found = differences(before, after, day)
        lines = [line for line in found if line not in known]
        lines += [f"no longer: {line}" for line in known if line not in found]
        if lines and day != days[0]:
            print(f"from {day}:")
        for line in lines:
            print(line)
        known, different = found, different or bool(found)
    return different


@app.command()
def order(
    ctx: typer.Context,
    name: Name,
    campaign: Campaign,
    from_day: Annotated[
        date,
        typer.Option("--from", parser=parse_day, metavar=DAY, help="The first day it holds."),
    ],
    by: By,
) -> None:
    """Call a campaign by this profile from a day on, today at the earliest.

    What happened before is still judged by the profile of its day.
    """
    from dialer import profile_orders
    from dialer.profile_orders import Ordered
    from dialer.profiles import read_profile

    written = read_profile(name)

    async def work(session: AsyncSession) -> Ordered:
        return await profile_orders.order(
            session, campaign, written, from_day=from_day, at=now(), by=by
        )

    done = installation(ctx).write(work)
    until = f", until an order given earlier holds from {done.next_day} on" if done.next_day else ""
    print(f"campaign {campaign}: {written.name} from {from_day}{until}")
    _print_differences(done.before, done.after, [from_day])
    _remind_of_what_asterisk_plays(done.before, done.after)


def _remind_of_what_asterisk_plays(before: Profile, after: Profile) -> None:
    if before.texts != after.texts:
        print(
            "remember: the spoken texts change: make the sound files anew that day", file=sys.stderr
        )
    if before.patience_s != after.patience_s:
        print(
            "remember: patience_s changes: `dialer asterisk render` that day, with the profile as "
            "service.profile",
            file=sys.stderr,
        )


@app.command()
def orders(ctx: typer.Context, campaign: Campaign, as_json: AsJson = False) -> None:
    """List the profiles ordered for a campaign, as the orders were given."""
    from db import campaigns, profile_orders

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        found = await campaigns.get(session, campaign)
        given = await profile_orders.of_campaign(session, found.id)
        holding = {order.id for order in profile_orders.in_force(given)}
        return [
            {
                "from": order.from_day,
                "profile": order.name,
                "ordered_by": order.ordered_by,
                "ordered_at": order.ordered_at,
                "state": "holds" if order.id in holding else "replaced",
                "sha256": order.sha256,
            }
            for order in given
        ]

    rows = installation(ctx).read(work)
    if as_json:
        print_json(rows)
    else:
        columns = ("from", "profile", "ordered by", "ordered at", "state", "sha256")
        print_table(columns, ([*row.values()] for row in rows))
