"""Logging in and out, who one is, the catalogue that labels come from."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from nyala.api import auth, describe_alarms
from nyala.api.auth import COOKIE, CurrentUser, State, log_in, token_hash
from nyala.api.permissions import permissions_of
from nyala.api.shapes.session import CatalogueOut, Login, QualityOut, QuantityOut, SessionOut, UserOut
from nyala.store import users
from nyala.store.users import User
from nyala.vocab.quality import quality_table
from nyala.vocab.quantities import catalogue

router = APIRouter(tags=["session"])


def _session(user: User) -> SessionOut:
    permissions = sorted(permissions_of(user.role))
    return SessionOut(
        user=UserOut(name=user.name, role=user.role, tenant=user.tenant, language=user.language, permissions=list(permissions))
    )


@router.post("/session")
async def post_session(login: Login, response: Response, state: State) -> SessionOut:
    """Logs in."""
    user, token = await log_in(state, login.name, login.password)
    response.set_cookie(
        COOKIE, token, max_age=auth.LOGIN_S, httponly=True, samesite="strict", secure=state.secure_cookies, path="/"
    )
    return _session(user)


@router.get("/session")
def get_session(user: CurrentUser) -> SessionOut:
    """Who is logged in."""
    return _session(user)


@router.delete("/session", status_code=204)
async def delete_session(
    request: Request, response: Response, state: State, _: Annotated[User, Depends(auth.current_user)]
) -> None:
    """Logs out."""
    await asyncio.to_thread(users.log_out, state.engine, token_hash(request.cookies[COOKIE]))
    response.delete_cookie(COOKIE, path="/")


@router.get("/catalogue")
def get_catalogue(_: CurrentUser) -> CatalogueOut:
    """Quantities, quality codes and alarms with their labels."""
    quantities = [
        QuantityOut(
            name=q.name,
            obis=q.obis,
            unit=q.unit,
            scaler=q.scaler,
            kind=q.kind,
            label_en=q.label_en,
            label_id=q.label_id,
        )
        for q in catalogue().values()
    ]
    qualities = [
        QualityOut(
            code=row.quality,
            name=row.quality.name,
            label_en=row.label_en,
            label_id=row.label_id,
            estimated=row.estimated,
        )
        for row in quality_table().values()
    ]
    return CatalogueOut(quantities=quantities, qualities=qualities, alarms=describe_alarms.kinds())
