"""The calling rules a second time: plain, slow and obvious, written from the requirements alone.

It exists to disagree with `rules/`: nothing of it is imported here, every number arrives in a plain
dict, and everything is counted again from the list of facts whenever it is asked for. Where the
requirements leave room, a comment names the reading taken.

A case is `{"phones": [id, ...]}`; a fact is a dict with `kind` (attempt, callback, called, asked, stop,
unstop, paid, raise, decide) and `at`; a calendar is `{"from", "to", "excluded", "holidays"}`; a profile is
the dict of the values a scenario may set.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Any

Fact = dict[str, Any]
Facts = list[Fact]
Moments = list[datetime]
Names = dict[str, Any]

BANDS = [(9, 12, "午前"), (12, 17, "午後"), (17, 20, "夜")]
JST = timezone(timedelta(hours=9))
YEAR_END = [(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)]

CLAUSES = {
    "person_done": "ア",
    "household_done": "イ",
    "refused": "ウ",
    "long_absence": "エ",
    "not_resident": "エ",
    "no_contact_given": "エ",
    "wrong_number": "オ",
    "out_of_service": "オ",
    "fax": "オ",
}
COMPLETES_CASE = ["person_done", "household_done", "refused", "long_absence"]
OPERATOR_CHOOSES = ["long_absence", "not_resident", "no_contact_given"]
TELLS_APPOINTMENT = ["third_party", "person_incomplete"]
TRIES = ["busy", "out_of_reach"]
NEVER_COUNTED = ["abandoned", "failed", "cancelled"]
COUNTED = [
    *CLAUSES,
    "no_answer",
    "voicemail_left",
    "voicemail_failed",
    "temporarily_unavailable",
    *TELLS_APPOINTMENT,
    "hung_up",
]
SPOKEN = [
    *COMPLETES_CASE,
    "not_resident",
    "no_contact_given",
    "wrong_number",
    *TELLS_APPOINTMENT,
    "hung_up",
]
"""Only somebody on the line can bring these about: nobody calls back as a fax or a dead line."""


# --- the calendar ---------------------------------------------------------------------------------


def is_non_weekday(day: date, calendar: Names) -> bool:
    return day.weekday() in (5, 6) or day in calendar["holidays"]


def is_excluded(day: date, calendar: Names) -> bool:
    """Taken out of the period; a day beside the period is not excluded from anything."""
    closed = day in calendar["excluded"] or (day.month, day.day) in YEAR_END
    return closed and in_period(day, calendar)


def in_period(day: date, calendar: Names) -> bool:
    return bool(calendar["from"] <= day <= calendar["to"])


def in_hours(now: datetime, calendar: Names, profile: Names) -> bool:
    closing_hour = 17 if is_non_weekday(now.date(), calendar) else 20
    opening = now.replace(hour=9, minute=0, second=0, microsecond=0)
    closing = opening.replace(hour=closing_hour)
    return opening <= now <= closing - timedelta(seconds=profile["closing_margin_s"])


def could_call_at(moment: datetime, calendar: Names, profile: Names) -> bool:
    """Inside the period and the hours (rule 1); an excluded day is not of the period."""
    day = moment.date()
    return (
        in_period(day, calendar)
        and not is_excluded(day, calendar)
        and in_hours(moment, calendar, profile)
    )


def band(moment: datetime) -> str | None:
    for first, last, name in BANDS:
        if first <= moment.hour < last:
            return name
    return None


# --- counting -------------------------------------------------------------------------------------


def attempts_of(facts: Facts, phone: object) -> Facts:
    return [f for f in facts if f["kind"] == "attempt" and f["phone"] == phone]


def counts(facts: Facts, index: int, profile: Names) -> bool:
    """Whether the fact at this place of the list used up an attempt."""
    fact = facts[index]
    if fact["kind"] != "attempt":
        return False
    if fact["outcome"] in TRIES:
        tries = [
            f
            for f in attempts_of(facts[: index + 1], fact["phone"])
            if f["outcome"] in TRIES and f["at"].date() == fact["at"].date()
        ]
        # Reading: beyond the day's third (forced, or an appointment of that day) the count begins
        # anew, so that a line that stays busy is not tried for ever.
        return len(tries) % int(profile["busy_tries"]) == 0
    return fact["outcome"] in COUNTED


def counted(facts: Facts, phone: object, profile: Names) -> Moments:
    return [
        fact["at"]
        for index, fact in enumerate(facts)
        if counts(facts, index, profile) and fact["phone"] == phone
    ]


def uncounted_since(facts: Facts, phone: object, profile: Names) -> Facts:
    """The attempts on the phone after its last counted one."""
    since: Facts = []
    for index, fact in enumerate(facts):
        if fact["kind"] == "attempt" and fact["phone"] == phone:
            since = [] if counts(facts, index, profile) else [*since, fact]
    return since


def used(facts: Facts, phone: object, case: Names, profile: Names) -> int:
    """Attempts used up where the limit looks: at the phone, or at the whole case."""
    if profile["attempt_scope"] == "phone":
        return len(counted(facts, phone, profile))
    return sum(len(counted(facts, each, profile)) for each in case["phones"])


def is_used_up(facts: Facts, phone: object, case: Names, profile: Names) -> bool:
    return used(facts, phone, case, profile) >= int(profile["attempts"])


def weekend_met(facts: Facts, phone: object, case: Names, calendar: Names, profile: Names) -> bool:
    phones = [phone] if profile["weekend_scope"] == "phone" else case["phones"]
    return any(
        is_non_weekday(moment.date(), calendar)
        for each in phones
        for moment in counted(facts, each, profile)
    )


def needs_operator(facts: Facts, phone: object, profile: Names) -> bool:
    # Reading: the reservation holds until a call counts, not for a call that failed.
    return any(f["outcome"] == "abandoned" for f in uncounted_since(facts, phone, profile))


def scope_of(fact: Fact) -> str:
    if fact.get("scope"):
        return str(fact["scope"])
    return "case" if fact["outcome"] in COMPLETES_CASE else "phone"


def closings(facts: Facts, case: Names) -> dict[object, str]:
    """The closed phones in the order they closed, each with its first closing clause."""
    closed: dict[object, str] = {}
    for fact in facts:
        outcome = fact.get("outcome")
        if outcome not in CLAUSES or scope_of(fact) != "phone":
            continue
        still_open = [phone for phone in case["phones"] if phone not in closed]
        if fact["kind"] == "attempt":
            closed.setdefault(fact["phone"], CLAUSES[outcome])
        elif len(still_open) == 1:
            # Reading: a callback names no phone; it can only mean the one that is left.
            closed[still_open[0]] = CLAUSES[outcome]
    return closed


def open_phones(facts: Facts, case: Names) -> list[Any]:
    closed = closings(facts, case)
    return [phone for phone in case["phones"] if phone not in closed]


# --- where the case stands ------------------------------------------------------------------------


def case_state(facts: Facts, case: Names, calendar: Names, profile: Names) -> Names:
    """The case after these facts: status, clause, appointment and what is to be reported."""
    story: Names = {
        "ended": None,
        "ended_under": set(),
        "talked": False,
        "questions": [],
        "refusal": None,
        "stopped": False,
        "paid": False,
        "appointment": None,
        "appointment_phone": None,
        "noted": None,
        "missed": [],
        "wish": False,
        "owed": {},
    }
    for index in range(len(facts)):
        _tell(story, facts[: index + 1], case, calendar, profile)
    return {**story, **_status(story)}


def _status(story: Names) -> Names:
    # Reading: what ended the case first is its status; under an order or a payment that came before
    # the end, the end shows only when the order is lifted. An order outranks a payment.
    if story["ended"] and not story["ended_under"]:
        return {"status": "complete", "clause": story["ended"]}
    if story["stopped"]:
        return {"status": "stopped", "clause": "ク"}
    if story["paid"]:
        return {"status": "paid", "clause": None}
    if is_asked(story):
        return {"status": "escalated", "clause": None}
    return {"status": "open", "clause": None}


def is_asked(story: Names) -> bool:
    """Some question to the city has no answer yet."""
    return any(question["ended"] is None for question in story["questions"])


def _ask(story: Names, at: datetime, why: str) -> None:
    story["questions"].append({"since": at, "why": why, "ended": None, "decision": None})


def _answer(story: Names, at: datetime, decision: str | None) -> None:
    """The city's answer, or (None) an end after which only the city's own criteria ask on."""
    for question in story["questions"]:
        if question["ended"] is None and (decision or question["why"] != "raised"):
            question["ended"], question["decision"] = at, decision


def _tell(story: Names, facts: Facts, case: Names, calendar: Names, profile: Names) -> None:
    fact = facts[-1]
    if fact["kind"] == "stop":
        story["stopped"] = True
    if fact["kind"] == "unstop":
        story["stopped"] = False
        story["ended_under"].discard("stopped")
    if fact["kind"] == "paid":
        story["paid"] = True
    if fact["kind"] == "raise":
        # Reading: also of a case that has ended, or is stopped or paid; its status stays what it was.
        _ask(story, fact["at"], "raised")
    if fact["kind"] == "decide":
        _decide(story, fact, facts, case, profile)
    if fact["kind"] in ("called", "asked"):
        _call_us(story, facts, case, calendar, profile)
    if fact["kind"] in ("attempt", "callback"):
        _meet_wishes(story, fact)
        _keep_appointment(story, facts, profile)
        _end_by_outcome(story, facts, case, profile)
        _learn_appointment(story, facts, case, calendar, profile)
    _end_by_phones(story, facts, case, profile)


def _call_us(story: Names, facts: Facts, case: Names, calendar: Names, profile: Names) -> None:
    """The person called and reached nobody, or pressed the key to be called back."""
    fact = facts[-1]
    is_open = _status(story)["status"] == "open" and fact["phone"] in open_phones(facts, case)
    if fact["kind"] == "asked" and is_open and could_call_at(fact["at"], calendar, profile):
        # Reading: they want to talk now, whatever time was named before.
        story["appointment"], story["appointment_phone"] = fact["at"], fact["phone"]
        story["wish"] = True
    else:
        # Reading: a wish that cannot be met at once is met when they are called next.
        story["owed"][fact["phone"]] = fact["at"]


def _meet_wishes(story: Names, fact: Fact) -> None:
    if fact["kind"] == "callback":
        # Reading: they reached somebody after all.
        story["owed"] = {}
        if story["wish"]:
            story["appointment"] = story["appointment_phone"] = None
    elif fact["outcome"] not in NEVER_COUNTED:
        story["owed"].pop(fact["phone"], None)


def _end(story: Names, clause: str, at: datetime) -> None:
    if story["ended"]:
        return
    story["ended"] = clause
    story["ended_under"] = {word for word in ("stopped", "paid") if story[word]}
    _answer(story, at, None)
    story["appointment"] = story["appointment_phone"] = None


def _decide(story: Names, fact: Fact, facts: Facts, case: Names, profile: Names) -> None:
    # Reading: there is nothing to decide about a case that was not escalated.
    if not is_asked(story):
        return
    _answer(story, fact["at"], fact["decision"])
    if fact["decision"] == "stop":
        story["stopped"] = True
    if fact["decision"] == "close":
        # Reading: the clause is what was waiting for approval, else the calls', else the city's word.
        if story["refusal"]:
            _end(story, story["refusal"], fact["at"])
        _end_by_phones(story, facts, case, profile)
        _end(story, "ク", fact["at"])
    story["refusal"] = None


def _keep_appointment(story: Names, facts: Facts, profile: Names) -> None:
    """The call at the appointment, or after it, keeps it; one that does not count is made again."""
    fact, due = facts[-1], story["appointment"]
    if due is None or not counts(facts, len(facts) - 1, profile) or fact["at"] < due:
        return
    if story["appointment_phone"] not in (None, fact["phone"]):
        return
    if fact["at"] > due + timedelta(minutes=profile["appointment_window_min"]):
        story["missed"].append(due)
    story["appointment"] = story["appointment_phone"] = None


def _end_by_outcome(story: Names, facts: Facts, case: Names, profile: Names) -> None:
    fact = facts[-1]
    outcome = fact["outcome"]
    if outcome not in CLAUSES:
        return
    clause = CLAUSES[outcome]
    if outcome in ("person_done", "household_done"):
        if fact["kind"] == "callback":
            clause = "キ"
        # Reading: a finished talk says more than an end reached without one.
        if story["ended"] and not story["talked"]:
            story["ended"] = clause
        story["talked"] = True
    if outcome == "refused" and profile["approve_refusals"]:
        if not story["ended"]:
            _ask(story, fact["at"], "refusal")
            story["refusal"] = clause
    elif scope_of(fact) == "case":
        _end(story, clause, fact["at"])
    elif closings(facts, case) != closings(facts[:-1], case):
        _after_closing(story, facts, case)


def _after_closing(story: Names, facts: Facts, case: Names) -> None:
    closed = closings(facts, case)
    if not open_phones(facts, case):
        _end(story, list(closed.values())[-1], facts[-1]["at"])
    elif story["appointment_phone"] in closed:
        # Reading: the person named a time, not a phone; another one is called then.
        story["appointment_phone"] = None


def _learn_appointment(
    story: Names, facts: Facts, case: Names, calendar: Names, profile: Names
) -> None:
    fact = facts[-1]
    when = fact.get("appointment")
    if when is None or fact["outcome"] not in TELLS_APPOINTMENT:
        return
    story["wish"] = False
    phones = [fact["phone"]] if fact["kind"] == "attempt" else open_phones(facts, case)
    extra = fact["kind"] == "attempt" and used(facts, fact["phone"], case, profile) > int(
        profile["attempts"]
    )
    last = all(is_used_up(facts, phone, case, profile) for phone in phones)
    if story["ended"] not in (None, "カ"):
        story["noted"] = when
        return
    if not extra and open_phones(facts, case) and could_call_at(when, calendar, profile):
        # Reading: a case that had only run out of attempts is called once more.
        story["ended"] = None
        story["appointment"] = when
        story["appointment_phone"] = fact.get("phone")
        return
    # Reading: the newer time takes the place of the older, even if it cannot be kept.
    story["noted"] = when
    story["appointment"] = story["appointment_phone"] = None
    why = "extra_appointment" if extra else "last_appointment" if last else "early_appointment"
    if extra or last or profile["escalate_early_appointments"]:
        story["ended"] = None
        _ask(story, fact["at"], why)


def _end_by_phones(story: Names, facts: Facts, case: Names, profile: Names) -> None:
    if story["ended"] or is_asked(story) or story["appointment"]:
        return
    at = facts[-1]["at"]
    still_open = open_phones(facts, case)
    if not still_open:
        _end(story, list(closings(facts, case).values())[-1], at)
    elif all(is_used_up(facts, phone, case, profile) for phone in still_open):
        _end(story, "カ", at)


# --- may this phone be called now? ----------------------------------------------------------------


def standing(facts: Facts, case: Names, calendar: Names, profile: Names) -> Names:
    """The case and its phones after these facts, with all that does not depend on the moment asked."""
    closed = closings(facts, case)
    story = case_state(facts, case, calendar, profile)
    return {
        **story,
        "phones": {
            phone: {
                "closed": phone in closed,
                "counted": counted(facts, phone, profile),
                "left": int(profile["attempts"]) - used(facts, phone, case, profile),
                "weekend_met": weekend_met(facts, phone, case, calendar, profile),
                "needs_operator": needs_operator(facts, phone, profile),
                "called_back": story["owed"].get(phone),
                "placed": [f["at"] for f in attempts_of(facts, phone)],
                "uncounted": uncounted_since(facts, phone, profile),
            }
            for phone in case["phones"]
        },
    }


def refusals(
    case: Names, phone: object, now: datetime, others: Moments, calendar: Names, profile: Names
) -> set[str]:
    """Every reason against calling a phone of this standing case now.

    `others`: when calls to the household's other cases were placed.
    """
    mine, due = case["phones"][phone], case["appointment"]
    answers = {
        "outside_period": not in_period(now.date(), calendar),
        "excluded_day": is_excluded(now.date(), calendar),
        "outside_hours": not in_hours(now, calendar, profile),
        "case_complete": case["status"] == "complete",
        "case_escalated": is_asked(case),
        "stopped": case["stopped"],
        "paid": case["paid"],
        "phone_closed": mine["closed"],
        "appointment_pending": due is not None and now < due,
        "cooling_down": cools_down(mine, now, profile),
        "household_busy": any(
            is_within(placed, "household_gap_min", now, profile) for placed in others
        ),
    }
    if due is None or now < due or case["appointment_phone"] not in (None, phone):
        siblings = [
            m for other, it in case["phones"].items() if other != phone for m in it["placed"]
        ]
        answers |= {
            "attempts_used": mine["left"] <= 0,
            "same_day": now.date() in [moment.date() for moment in mine["counted"]],
            "same_band": in_last_band(mine, now),
            "kept_for_non_weekday": is_kept(case, phone, now, calendar, profile),
            "case_gap": any(is_within(placed, "case_gap_min", now, profile) for placed in siblings),
        }
    return {reason for reason, holds in answers.items() if holds}


def is_within(placed: datetime, minutes: str, now: datetime, profile: Names) -> bool:
    return now < placed + timedelta(minutes=profile[minutes])


def in_last_band(phone: Names, now: datetime) -> bool:
    last = band(phone["counted"][-1]) if phone["counted"] else None
    return last is not None and last == band(now)


def cools_down(phone: Names, now: datetime, profile: Names) -> bool:
    minutes = {
        "busy": "busy_retry_min",
        "out_of_reach": "busy_retry_min",
        "failed": "failed_retry_min",
        "abandoned": "abandon_gap_min",
    }
    # Reading: a counted attempt ends what was to be waited for; the next one is on another day.
    return any(
        f["outcome"] in minutes and is_within(f["at"], minutes[f["outcome"]], now, profile)
        for f in phone["uncounted"]
    )


def is_kept(case: Names, phone: object, now: datetime, calendar: Names, profile: Names) -> bool:
    mine = case["phones"][phone]
    if is_non_weekday(now.date(), calendar) or mine["weekend_met"]:
        return False
    # Reading: rule 6 to the letter, also where the whole case needs one non-weekday call: the last
    # attempt of a phone is kept while none of the case has met it, whatever the other phone may get.
    if mine["left"] != 1:
        return False
    return any(
        is_non_weekday(day, calendar) and could_be_called_on(day, mine, calendar, profile)
        for day in days(now.date() + timedelta(days=1), calendar["to"])
    )


def could_be_called_on(day: date, phone: Names, calendar: Names, profile: Names) -> bool:
    """Some moment of the day is open and in another band than the phone's last counted attempt."""
    moments = [datetime.combine(day, time(hour), JST) for hour, _, _ in BANDS]
    return any(
        could_call_at(moment, calendar, profile) and not in_last_band(phone, moment)
        for moment in moments
    )


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def next_from(
    case: Names, phone: object, now: datetime, others: Moments, calendar: Names, profile: Names
) -> datetime | None:
    """The first moment from now on without a refusal: every one at which a refusal could end."""
    moments: Moments = [now, *([case["appointment"]] if case["appointment"] else [])]
    for day in days(now.date(), calendar["to"]):
        # the last band's end: no band, so not the same one, should a call still be placed then
        hours = {hour for start, end, _ in BANDS for hour in (start, end)}
        moments += [datetime.combine(day, time(hour), JST) for hour in hours]
    for placed in [*others, *(m for it in case["phones"].values() for m in it["placed"])]:
        for name, minutes in profile.items():
            if name.endswith("_min"):
                moments.append(placed + timedelta(minutes=minutes))
    for moment in sorted({m for m in moments if m >= now}):
        if not refusals(case, phone, moment, others, calendar, profile):
            return moment
    return None


def missed(case: Names, now: datetime, profile: Names) -> Moments:
    """Appointments not called within their window, those still waited for too."""
    due = case["appointment"]
    late = due is not None and now > due + timedelta(minutes=profile["appointment_window_min"])
    return [*case["missed"], due] if late else list(case["missed"])


# --- is a result to be rejected? ------------------------------------------------------------------


def is_faulty(fact: Fact, facts: Facts, case: Names, profile: Names) -> bool:
    """Whether an attempt's or a callback's result misses what its outcome needs."""
    outcome, when = fact["outcome"], fact.get("appointment")
    if outcome not in [*COUNTED, *TRIES, *NEVER_COUNTED]:
        return True
    ring = fact.get("ring_s")
    faults = [
        when is not None and outcome not in TELLS_APPOINTMENT,
        # Reading: a time at which the person can be reached lies ahead.
        when is not None and when <= fact["at"],
        outcome in ("person_done", "household_done") and not fact.get("script_finished"),
        outcome == "household_done" and not fact.get("same_household"),
        outcome == "household_done" and not fact.get("offered"),
        outcome == "no_answer" and ring is not None and ring < profile["ring_min_s"],
        fact.get("scope") is not None and outcome not in OPERATOR_CHOOSES,
    ]
    if fact["kind"] == "attempt":
        return any([*faults, fact["phone"] not in case["phones"]])
    # Reading: a callback names no phone and may close one only where it can mean no other.
    before = [f for f in facts if f["at"] <= fact["at"]]
    closes = outcome in CLAUSES and scope_of(fact) == "phone"
    unclear = closes and len(open_phones(before, case)) > 1
    return any([*faults, outcome not in SPOKEN, unclear])
