"""Logging in with an API key, and out again."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from api.call import installation
from api.keys import Caller, find_caller
from api.page_call import LoginWanted, is_from_elsewhere
from api.problems import Problem
from api.render import render
from api.sessions import end_login, find_login, is_same, start_login

router = APIRouter(include_in_schema=False)

#: Where a login may lead: pages of ours that a notification names, and nothing else.
_INSIDE = re.compile(r"/(alerts|mentions)/[a-z]{3}_[A-Za-z0-9]{1,20}")


@router.get("/login")
def show_login(request: Request, next: str = "/") -> Response:  # noqa: A002 - as in the address
    """The form."""
    return render(request, "login.html", next=_inside(next), refusal=None)


@router.post("/login")
def log_in(
    request: Request,
    key: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - as in the form
) -> Response:
    """Trade a key for a login."""
    if is_from_elsewhere(request):
        raise Problem(403, "cross-site", "Log in on the page itself.")
    shared = installation(request)
    address = request.client.host if request.client else "unknown"
    now = shared.clock()
    caller = _find(request, key.strip())
    if caller is None:
        shared.rates.count_refusal(address)
        refusal = "This key is unknown, expired or revoked."
        return render(request, "login.html", status=401, next=_inside(next), refusal=refusal)
    answer = RedirectResponse(_inside(next), status_code=303)
    is_secure = request.url.scheme == "https" or shared.settings.api.public_url.startswith("https:")
    start_login(answer, caller, shared=shared, now=now, is_secure=is_secure)
    return answer


@router.post("/logout")
def log_out(request: Request, csrf: Annotated[str, Form()] = "") -> Response:
    """Forget the login; the key stays good."""
    shared = installation(request)
    with Session(shared.engine) as session:
        login = find_login(request, session, shared=shared, now=shared.clock())
    if login is not None and not is_same(csrf, login.csrf):
        raise Problem(403, "stale-form", "This form is from another login; reload the page.")
    answer = RedirectResponse("/login", status_code=303)
    end_login(answer)
    return answer


def invite(request: Request, error: LoginWanted) -> Response:
    """What somebody without a login gets instead of a page."""
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": error.login_url})
    if request.method == "GET" and is_from_elsewhere(request):
        # A strict cookie does not travel with a link from elsewhere (web mail); asked again from
        # our own page it does.
        return render(request, "again.html")
    return RedirectResponse(error.login_url, status_code=303)


def _find(request: Request, key: str) -> Caller | None:
    shared = installation(request)
    with Session(shared.engine) as session:
        return find_caller(session, key, now=shared.clock())


def _inside(path: str) -> str:
    return path if _INSIDE.fullmatch(path) else "/"
