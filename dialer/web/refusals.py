"""How an error becomes an answer: always `{message, field}`, in Japanese, never what was sent."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from dialer.errors import AmiError, ConflictError, DatabaseError, NotFoundError
from dialer.web.models import Refused
from rules.result import ResultRefusedError

RETRY_AFTER_S = 3
REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Refused} for code in (401, 404, 409, 422, 503)
}
"""What an operator's request may be refused with, for `/openapi.json`."""


def answer_refusals(app: FastAPI) -> None:
    """Tell the app which answer each error becomes."""
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(ResultRefusedError)(_refused_by_rules)
    app.exception_handler(ConflictError)(_conflict)
    app.exception_handler(NotFoundError)(_not_found)
    app.exception_handler(DatabaseError)(_database_away)
    app.exception_handler(AmiError)(_asterisk_away)


def _answer(status: int, message: str, field: str | None = None) -> JSONResponse:
    return JSONResponse(Refused(message=message, field=field).model_dump(), status)


def _later(message: str) -> JSONResponse:
    answer = _answer(503, message)
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _http(_: Request, error: HTTPException) -> JSONResponse:
    answer = _answer(error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def _malformed(_: Request, error: RequestValidationError) -> JSONResponse:
    place = [str(part) for part in error.errors()[0]["loc"] if part not in {"body", "query"}]
    field = ".".join(place) or None
    return _answer(422, "入力の形が正しくありません", field)


def _refused_by_rules(_: Request, error: ResultRefusedError) -> JSONResponse:
    return _answer(422, error.message, error.field)


def _conflict(_: Request, error: ConflictError) -> JSONResponse:
    return _answer(409, str(error))


def _not_found(_: Request, error: NotFoundError) -> JSONResponse:
    return _answer(404, str(error))


def _database_away(_: Request, error: DatabaseError) -> JSONResponse:
    return _later("データベースにつながらず、記録できませんでした。もう一度押してください")


def _asterisk_away(_: Request, error: AmiError) -> JSONResponse:
    return _later("電話交換機につながりません。もう一度押してください")
