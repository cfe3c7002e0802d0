"""The tables. One direction: campaign → case → phone → attempt → result → report.

- `attempt` and `attempt_change` are a ledger: rows are only ever added. The attempt row is committed
  before its Originate; `call_in_flight` holds at most one row per phone while the call lives.
- `case.status`, `phone.due_at` and the like are projections, folded by `rules` from the facts and
  written in the same transaction as the fact; they can be rebuilt at any time.
- A correction adds a `result` that names the one it replaces.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.types import Moment, Personal


class Base(DeclarativeBase):
    """Constraint names are fixed so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: Moment, str: String, date: Date, bool: Boolean}


def table_of(model: type[Base]) -> Table:
    """The plain table of a model: what is written through it goes past the ORM and its cost."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


class Campaign(Base):
    """One month's calling for one contract."""

    __tablename__ = "campaign"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    profile: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    """`draft`, `running`, `paused`, `closed`."""
    period_from: Mapped[date]
    period_to: Mapped[date]
    created_at: Mapped[datetime]


class ExcludedDay(Base):
    """A day the city took out of the calling period (§6(2))."""

    __tablename__ = "excluded_day"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime]


class Intake(Base):
    """Who handed over which file and when (§9(3)). The file's name is not kept, its hash is."""

    __tablename__ = "intake"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    handed_by: Mapped[str]
    rows: Mapped[int]
    added: Mapped[int]
    changed: Mapped[int]
    unchanged: Mapped[int]
    refused: Mapped[int]


class CaseRow(Base):
    """One person to be reminded in one month."""

    __tablename__ = "case"
    __table_args__ = (
        UniqueConstraint("campaign_id", "reference"),
        Index("ix_case_household_key", "household_key"),
        Index("ix_case_reference", "reference"),
        Index("ix_case_person_key", "person_key"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    intake_id: Mapped[int] = mapped_column(ForeignKey("intake.id"))
    reference: Mapped[str] = mapped_column(String(32))
    """整理番号: the city's name for the case, safe to show in logs."""
    person_key: Mapped[str] = mapped_column(String(64))
    """Keyed hash of 宛名番号; a stop order finds the person's later cases by it."""
    household_key: Mapped[str] = mapped_column(String(64))
    """Keyed hash of 世帯番号; equal keys are one household (rule 10)."""
    person_number: Mapped[str] = mapped_column(Personal)
    household_number: Mapped[str] = mapped_column(Personal)
    name: Mapped[str] = mapped_column(Personal)
    kana: Mapped[str] = mapped_column(Personal)
    birth_date: Mapped[str] = mapped_column(Personal)
    postal_code: Mapped[str] = mapped_column(Personal)
    address: Mapped[str] = mapped_column(Personal)
    category: Mapped[str]
    amount_yen: Mapped[str] = mapped_column(Personal)
    """Arrears in yen, as digits: an amount beside a person is personal."""
    instalments: Mapped[str] = mapped_column(Personal)
    last_paid: Mapped[str | None] = mapped_column(Personal)
    note: Mapped[str] = mapped_column(Personal)
    status: Mapped[str] = mapped_column(String(16))
    clause: Mapped[str | None] = mapped_column(String(4))
    appointment: Mapped[datetime | None]


class PhoneRow(Base):
    """One number of a case."""

    __tablename__ = "phone"
    __table_args__ = (
        UniqueConstraint("case_id", "number_key"),
        # in the order in which phones are called: the first of each rank are read without sorting
        Index("ix_phone_due", "campaign_id", "rank", "due_at", "id"),
        Index("ix_phone_number_key", "number_key"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    position: Mapped[int]
    number: Mapped[str] = mapped_column(Personal)
    """Digits as dialled in Japan, trunk 0 first."""
    number_key: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))
    learned: Mapped[bool] = mapped_column(default=False)
    """Named in a call, not by the city."""
    status: Mapped[str] = mapped_column(String(8))
    counted: Mapped[int] = mapped_column(default=0)
    weekend_met: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None]
    """Earliest moment at which the rules may allow a call; None: never again."""
    rank: Mapped[int] = mapped_column(default=0)
    """Among those due the lowest rank goes first (`rules.priority`)."""
    planned_from: Mapped[datetime | None]
    """Begin of the band in which the plan tries it next; None: not planned, due as the rules say."""
    gain: Mapped[int] = mapped_column(default=0)
    """What the plan loses if that band is missed, in millionths of a contact."""


class CaseFact(Base):
    """What was said of a case: `stop`, `unstop`, `paid`, `escalate`, `resume`, `stop_decided`, `close`.

    Only ever added.
    """

    __tablename__ = "case_fact"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    by: Mapped[str]
    criterion_id: Mapped[int | None] = mapped_column(ForeignKey("escalation_criterion.id"))
    """Of `escalate`: the city's criterion it was raised under (§8(3)キ)."""


class StopOrder(Base):
    """The city's word that a person must not be called again; holds for later months until lifted.

    Kept by the person's key alone, so that it outlives the erasure of the month's cases (§9(4)).
    """

    __tablename__ = "stop_order"
    __table_args__ = (
        # at most one stop order in force per person
        Index(
            "uq_stop_order_in_force",
            "person_key",
            unique=True,
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    person_key: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    by: Mapped[str]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]


class Attempt(Base):
    """One originated call to one phone: written and committed before Originate, never changed."""

    __tablename__ = "attempt"
    __table_args__ = (Index("ix_attempt_campaign_placed", "campaign_id", "placed_at"),)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """UUID; also the channel's Uniqueid, so that every AMI event names the attempt."""
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"), index=True)
    placed_at: Mapped[datetime]
    caller_id: Mapped[str] = mapped_column(String(16))
    """The number presented: one of the pool, not personal."""
    chance: Mapped[float | None]
    """Probability that a person answers it, as believed when it was placed; None: not placed by pacing."""
    miss: Mapped[float | None]
    """Probability that nobody would have been free for that person within the patience, as believed then."""


class AttemptChange(Base):
    """Every change of an attempt's state with its time. Only ever added."""

    __tablename__ = "attempt_change"
    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    """The state entered, of `rules.call_state.State`."""
    operator_id: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    cause: Mapped[int | None] = mapped_column(Integer)
    """Q.850, on the last change."""
    ring_ms: Mapped[int | None] = mapped_column(Integer)
    """Milliseconds of ringing, on the change that ended it."""
    early_media: Mapped[bool | None]
    """On the last change: an announcement was heard before any answer."""


class CallInFlight(Base):
    """The attempts that have no outcome yet, from before Originate until the result is saved.

    Its keys are the promise that no phone, case, number or household is called twice at once.
    """

    __tablename__ = "call_in_flight"
    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), unique=True)
    number_key: Mapped[str] = mapped_column(String(64), unique=True)
    household_key: Mapped[str] = mapped_column(String(64), unique=True)


class ResultRow(Base):
    """The outcome of an attempt (or of a callback) as recorded, by whom and when. Only ever added."""

    __tablename__ = "result"
    __table_args__ = (
        # exactly one first result per attempt or callback, at most one correction per result
        Index(
            "uq_result_first",
            "attempt_id",
            unique=True,
            sqlite_where=text("replaces_id IS NULL"),
            postgresql_where=text("replaces_id IS NULL"),
        ),
        Index(
            "uq_result_first_of_callback",
            "callback_id",
            unique=True,
            sqlite_where=text("replaces_id IS NULL"),
            postgresql_where=text("replaces_id IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[str | None] = mapped_column(ForeignKey("attempt.id"), index=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("result.id"), unique=True)
    outcome: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]
    """When it was saved; the attempt counts at its `placed_at`."""
    by: Mapped[str]
    """Operator id, or `line` for what the line itself told."""
    script_finished: Mapped[bool] = mapped_column(default=False)
    same_household: Mapped[bool] = mapped_column(default=False)
    offered: Mapped[bool] = mapped_column(default=False)
    appointment: Mapped[datetime | None]
    scope: Mapped[str | None] = mapped_column(String(8))
    review: Mapped[bool] = mapped_column(default=False)
    """The line's words were unclear: a supervisor looks at it (rule 3)."""
    talk_results: Mapped[list[str]] = mapped_column(JSON, default=list)
    promise: Mapped[str | None] = mapped_column(Personal)
    note: Mapped[str | None] = mapped_column(Personal)
    callback_id: Mapped[str | None] = mapped_column(ForeignKey("callback.id"), index=True)
    """Instead of the attempt: the person called us (§8(4)キ)."""


class Operator(Base):
    """Who talks. Staff, not a person of the city's file."""

    __tablename__ = "operator"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    """Also the extension of the softphone and the id of the Asterisk agent."""
    name: Mapped[str]
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    ready: Mapped[bool] = mapped_column(default=False)
    """Asked for calls: after a crash of the dialer they get them again without a click."""
    callbacks_only: Mapped[bool] = mapped_column(default=False)
    """Gets callbacks alone, and only while nobody else is free for them (a supervisor's seat)."""


class SeatChange(Base):
    """Every change of what an operator is doing, so that a day can be looked at again. Only ever added."""

    __tablename__ = "seat_change"
    operator_id: Mapped[str] = mapped_column(ForeignKey("operator.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    state: Mapped[str] = mapped_column(String(16))
    """The state entered, of `rules.operator_state.State`; when the service starts the one it begins with."""


class PacingBelief(Base):
    """What pacing has learned of times and chances, a number each; it outlives the calls it is drawn from."""

    __tablename__ = "pacing_belief"
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Belief and its part, for example `talk.mu` (`rules.pacing.estimates.Estimates`)."""
    value: Mapped[float]
    at: Mapped[datetime]
    """When it was kept."""


class Notice(Base):
    """Words from the CLI to a running service: it looks for new rows several times a second."""

    __tablename__ = "notice"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(32))
    """Of `db.notices.NoticeKind`."""
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    by: Mapped[str]


class EmergencyStop(Base):
    """While a row without `lifted_at` stands, nothing is dialled in any campaign."""

    __tablename__ = "emergency_stop"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]


class ProfileOrder(Base):
    """From which day a campaign is called by which contract profile, and who ordered it.

    The text is kept: a newer version of the program does not change a month's rules in silence.
    """

    __tablename__ = "profile_order"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    from_day: Mapped[date]
    """The first order of a campaign holds from the first day of its period, and before it."""
    name: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    """The profile's file."""
    sha256: Mapped[str] = mapped_column(String(64))
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime]


class PaymentFile(Base):
    """Which file of payments the city handed over and when (§9(3)); sums only."""

    __tablename__ = "payment_file"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    handed_by: Mapped[str]
    rows: Mapped[int]
    paid: Mapped[int]
    """Cases that became known as paid by this file."""
    known: Mapped[int]
    """Cases already known as paid."""


class EscalationCriterion(Base):
    """When a case goes to the city to decide (§8(3)キ): a list the city may change."""

    __tablename__ = "escalation_criterion"
    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str]
    """What it says, in Japanese."""
    talk_result: Mapped[str | None] = mapped_column(String(32))
    """A talk with this talk result raises it by itself; None: an operator or a supervisor does."""
    added_at: Mapped[datetime]
    added_by: Mapped[str]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str | None]


class CallerIdChange(Base):
    """Which number of the pool is shown from when on (§11(2)イウ), and who ordered it."""

    __tablename__ = "caller_id_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(16))
    from_at: Mapped[datetime] = mapped_column(index=True)
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]


class RosterHour(Base):
    """Operators expected at work in one hour of one day, for all campaigns together."""

    __tablename__ = "roster_hour"
    day: Mapped[date] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True)
    """Hour of the day in Japan, 0-23."""
    operators: Mapped[int]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]


class Plan(Base):
    """A plan of a campaign's remaining attempts, as it was made. Only the newest one is followed."""

    __tablename__ = "plan"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`dialer.planning.plan.Figures`: sums without persons, for every band of every day."""
    chances: Mapped[list[Any] | None] = mapped_column(JSON)
    """What it believed of answering: band, non-weekday, kind of phone, ordinal and probability of each
    `dialer.planning.rates.Cell`; None: made by a version that kept none."""


class PlannedAttempt(Base):
    """Which phone the newest plan tries in which band of which day. Replaced by the next plan."""

    __tablename__ = "planned_attempt"
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    """Begin of the band."""
    ends_at: Mapped[datetime]
    """Its end: the planned attempt is placed before it."""
    gain: Mapped[int]
    """What is lost if it is missed, in millionths of a contact."""


class AnswerSum(Base):
    """What was learned of answering: sums of one month without persons, kept across months (rule 15)."""

    __tablename__ = "answer_sum"
    month: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Name of the campaign; not its key, which the sums outlive."""
    band: Mapped[str] = mapped_column(String(32), primary_key=True)
    non_weekday: Mapped[bool] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    """Kind of the phone."""
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    """1: no counted attempt was made on the phone before, 2: one, 3: two or more."""
    attempts: Mapped[int]
    """Counted attempts."""
    contacts: Mapped[int]
    """Those with a contact (rule 14)."""
    ended: Mapped[int]
    """Those of the contacts that ended the case."""
    closed: Mapped[int]
    """Those without a contact that closed the phone and not the case."""
    ring_s: Mapped[int]
    """Seconds of ringing of all of them together."""
    handling_s: Mapped[int]
    """Seconds of operators' work (talk and after-call work) of all of them together."""


class Callback(Base):
    """One incoming call. Never changed."""

    __tablename__ = "callback"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Uniqueid of the caller's channel in Asterisk."""
    arrived_at: Mapped[datetime] = mapped_column(index=True)
    called: Mapped[str] = mapped_column(String(32))
    """The number of ours that was dialled, as it came in."""
    number: Mapped[str | None] = mapped_column(Personal)
    """The caller's, as dialled in Japan; None: withheld or unknown."""
    number_key: Mapped[str | None] = mapped_column(String(64), index=True)


class CallbackChange(Base):
    """Every change of a callback's state with its time. Only ever added."""

    __tablename__ = "callback_change"
    callback_id: Mapped[str] = mapped_column(ForeignKey("callback.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    """The state entered, of `rules.callback_state.State`."""
    operator_id: Mapped[str | None] = mapped_column(ForeignKey("operator.id"))
    detail: Mapped[str | None] = mapped_column(Text)
    """What else the dialplan told: sounds played, seconds recorded; at the end the last state."""


class CallbackInHand(Base):
    """The callbacks somebody still has to do with: from arrival to the end, and after a talk until its
    result is saved or it is closed without a case."""

    __tablename__ = "callback_in_hand"
    callback_id: Mapped[str] = mapped_column(ForeignKey("callback.id"), primary_key=True)


class CallbackCase(Base):
    """Which case an operator opened for a caller, after identification. Only ever added."""

    __tablename__ = "callback_case"
    id: Mapped[int] = mapped_column(primary_key=True)
    callback_id: Mapped[str] = mapped_column(ForeignKey("callback.id"), index=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str]


class CallbackMessage(Base):
    """A message a caller left."""

    __tablename__ = "callback_message"
    callback_id: Mapped[str] = mapped_column(ForeignKey("callback.id"), primary_key=True)
    file: Mapped[str] = mapped_column(String(80))
    """Name in `asterisk.messages_dir`."""
    seconds: Mapped[int]
    at: Mapped[datetime]
    heard_at: Mapped[datetime | None]
    heard_by: Mapped[str | None]


class CalledBack(Base):
    """A caller who reached no operator: they are called (again). Only ever added."""

    __tablename__ = "called_back"
    id: Mapped[int] = mapped_column(primary_key=True)
    callback_id: Mapped[str] = mapped_column(ForeignKey("callback.id"), unique=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"), index=True)
    """Found by the caller's number; None: a supervisor has to look who it is."""
    phone_id: Mapped[int | None] = mapped_column(ForeignKey("phone.id"))
    at: Mapped[datetime]
    asked: Mapped[bool]
    """They pressed the key: an appointment at `at`. Else they were merely not reached."""


class CallbackNote(Base):
    """A callback closed without a case."""

    __tablename__ = "callback_note"
    callback_id: Mapped[str] = mapped_column(ForeignKey("callback.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    """Of `dialer.web.callback_models.CloseKind`."""
    note: Mapped[str] = mapped_column(Personal)
    at: Mapped[datetime]
    by: Mapped[str]


class OrderedMessage(Base):
    """What callers hear by order of the city (§11(2)オ), and who ordered it."""

    __tablename__ = "ordered_message"
    id: Mapped[int] = mapped_column(primary_key=True)
    """Its sound is `ordered-<id>`."""
    text: Mapped[str | None] = mapped_column(Text)
    """What is said; None: a recording was handed over."""
    from_at: Mapped[datetime] = mapped_column(index=True)
    until_at: Mapped[datetime | None]
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]
