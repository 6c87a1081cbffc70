"""Errors as problem+json (RFC 9457), in one table: the class says the status, the message is the detail."""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from nyala.vocab.errors import (
    BadArgumentError,
    ConflictError,
    ForeignError,
    NotAllowedError,
    NyalaError,
    SurroundingsError,
    UnknownError,
)

DETAIL_MAX: Final = 500


class NotLoggedInError(NyalaError):
    """No login, or one that has ended."""


class MayNotError(NyalaError):
    """The user's role does not have the permission."""


PROBLEMS: Final[dict[type[Exception], tuple[int, str]]] = {
    NotLoggedInError: (401, "not-logged-in"),
    MayNotError: (403, "may-not"),
    UnknownError: (404, "unknown"),
    ConflictError: (409, "conflict"),
    NotAllowedError: (409, "not-allowed"),
    BadArgumentError: (422, "bad-argument"),
    ForeignError: (422, "bad-input"),
    SurroundingsError: (503, "surroundings"),
}


def problem(status: int, kind: str, detail: str) -> JSONResponse:
    """One problem."""
    body = {"type": kind, "title": kind.replace("-", " "), "status": status, "detail": detail[:DETAIL_MAX]}
    return JSONResponse(body, status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Answers every error of the table with its problem."""
    for error, (status, kind) in PROBLEMS.items():

        def answer(_: Request, raised: Exception, status: int = status, kind: str = kind) -> JSONResponse:
            return problem(status, kind, str(raised))

        app.add_exception_handler(error, answer)

    def invalid(_: Request, raised: Exception) -> JSONResponse:
        assert isinstance(raised, RequestValidationError)
        first = raised.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem(422, "bad-argument", f"{where}: {first['msg']}")

    app.add_exception_handler(RequestValidationError, invalid)
