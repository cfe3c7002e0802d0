"""What the web layer asks of the running service. `dialer.desk` and `dialer.results` answer it.

Nothing here knows HTTP, and the web layer knows nothing of Asterisk or the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dialer.web.callback_models import CallbackCloseIn, CallbackResultIn, SearchIn, SearchOut
from dialer.web.case_models import ResultIn
from dialer.web.models import CriterionOut, Health, Me, Status
from rules.profile import Profile


class Desk(Protocol):
    """The operators' desk, as their screens see it.

    An `operator_id` comes from `tokens()` and so exists; an operator removed in between raises
    NotFoundError. The text of a ConflictError or NotFoundError raised here is shown to the
    operator: it is Japanese and names no person.
    """

    def tokens(self) -> Mapping[str, str]:
        """SHA-256 (hex) of the token of every active operator, by operator id."""
        ...

    def me(self, operator_id: str) -> Me:
        """The operator's present screen."""
        ...

    def profile(self, operator_id: str) -> Profile | None:
        """The contract profile in force for the operator's call, else for the campaign that is called
        now; None: there is no campaign."""
        ...

    def criteria(self) -> tuple[CriterionOut, ...]:
        """The criteria under which a case may be handed to the city (§8(3)キ)."""
        ...

    async def changed(self, operator_id: str, since: int, wait_s: float) -> Me:
        """The screen, at once if its revision is not `since`, else when it changes or after
        `wait_s` seconds (0-25). Returns early when the service shuts down."""
        ...

    async def ready(self, operator_id: str) -> Me:
        """Take calls again: away stays away; after-call work needs its result saved first.

        Raises:
            ConflictError: the state does not allow it.
        """
        ...

    async def pause(self, operator_id: str) -> Me:
        """Take no new call.

        Raises:
            ConflictError: the state does not allow it.
        """
        ...

    async def announce_break(self, operator_id: str, in_s: int | None) -> Me:
        """Take no new call after `in_s` seconds (0-7200); None: the break is called off.

        Raises:
            ConflictError: they take no calls anyway.
        """
        ...

    async def progress(self, operator_id: str, step: int, *, done: bool) -> Me:
        """A step of the script (from 0 on) is done; not `done`: it had been ticked by mistake.

        Raises:
            ConflictError: nobody is on the line.
            NotFoundError: the script has no such step.
        """
        ...

    async def dial(self, operator_id: str, attempt_id: str) -> Me:
        """Call the case that is offered to the operator (preview).

        Raises:
            ConflictError: it is not theirs any more, or may not be called any more.
            DatabaseError: nobody is called; trying again is safe.
        """
        ...

    async def skip(self, operator_id: str, attempt_id: str) -> Me:
        """Put the case off that is offered to the operator.

        Raises:
            ConflictError: it is not theirs any more, or must be called now.
            DatabaseError: the offer stands; trying again is safe.
        """
        ...

    async def hangup(self, operator_id: str) -> Me:
        """End the line of the talk; after-call work begins.

        Raises:
            ConflictError: nobody is on the line.
            AmiError: Asterisk cannot be reached.
        """
        ...

    async def leave_message(self, operator_id: str) -> Me:
        """The answering machine gets the approved message; the operator is free again (§8(5)イ).

        Raises:
            ConflictError: nobody is on the line.
            AmiError: Asterisk cannot be reached.
        """
        ...

    async def save_result(self, operator_id: str, result: ResultIn) -> Me:
        """Save the result of the operator's call. The same body again changes nothing.

        Raises:
            ResultRefusedError: the rules refuse it (`rules.result`), with field and message.
            NotFoundError: no such attempt, or another operator's.
            ConflictError: a different result is saved already: it can be corrected instead.
            DatabaseError: not saved; trying again is safe.
        """
        ...

    async def correct_result(self, operator_id: str, result: ResultIn) -> Me:
        """Replace a saved result; the old one stays on record.

        Raises:
            ResultRefusedError: the rules refuse it.
            NotFoundError: no such attempt, another operator's, or no result saved yet.
            DatabaseError: not saved; trying again is safe.
        """
        ...

    async def search_cases(self, operator_id: str, wanted: SearchIn) -> SearchOut:
        """Cases the caller of the operator's callback may be.

        Raises:
            ConflictError: the callback is not on their screen.
            ResultRefusedError: `number` is none.
            DatabaseError: trying again is safe.
        """
        ...

    async def identify(self, operator_id: str, callback_id: str, case_id: int) -> Me:
        """The operator knows who is calling: the case opens, and that it did is on record.

        Another case may be identified after it, until a result is saved.

        Raises:
            ConflictError: the callback is not on their screen.
            NotFoundError: no such case.
            DatabaseError: nothing is opened; trying again is safe.
        """
        ...

    async def save_callback(self, operator_id: str, result: CallbackResultIn) -> Me:
        """Save the result of the operator's callback (§8(4)キ). The same body again changes nothing.

        Raises:
            ResultRefusedError: the rules refuse it (`rules.result`), with field and message.
            NotFoundError: no such callback, or another operator's.
            ConflictError: the line is up, the case is not the one identified, or another result is saved.
            DatabaseError: not saved; trying again is safe.
        """
        ...

    async def correct_callback(self, operator_id: str, result: CallbackResultIn) -> Me:
        """Replace the saved result of a callback; the old one stays on record.

        Raises:
            ResultRefusedError: the rules refuse it, with field and message.
            NotFoundError: no such callback, another operator's, or nothing saved of this case yet.
            DatabaseError: not saved; trying again is safe.
        """
        ...

    async def close_callback(self, operator_id: str, closed: CallbackCloseIn) -> Me:
        """The operator's callback ends without a case.

        Raises:
            NotFoundError: no such callback, or another operator's.
            ConflictError: the line is up, or a result is saved.
            DatabaseError: not saved; trying again is safe.
        """
        ...

    async def status(self) -> Status:
        """For `dialer status`."""
        ...

    def healthy(self) -> Health:
        """For `/healthz`."""
        ...
