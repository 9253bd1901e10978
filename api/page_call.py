"""One authorised call from the page: a login instead of a key, and a token on every form."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Form, Request
from sqlalchemy.orm import Session

from api.call import Call, check_role, installation
from api.problems import Problem
from api.roles import may
from api.sessions import COOKIE, find_login, is_same
from core.database import enter_workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCall(Call):
    """A call whose caller looks at the page."""

    csrf: str

    def may(self, action: str) -> bool:
        """Whether to show what leads to that route."""
        return may(self.caller.role, action)


class LoginWanted(Exception):  # noqa: N818 - an invitation, not an error
    """Nobody is logged in; carries where to come back to."""

    def __init__(self, request: Request) -> None:
        super().__init__("log in")
        path = request.url.path if request.method == "GET" else "/"
        self.login_url = "/login" if path == "/" else f"/login?next={quote(path)}"


def open_page_call(request: Request) -> Iterator[PageCall]:
    """Check the login and its role, then lend a transaction; commit unless the route raised."""
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        raise LoginWanted(request)
    shared = installation(request)
    now = shared.clock()
    shared.rates.count_call(hashlib.sha256(cookie.encode()).digest())
    with Session(shared.engine, expire_on_commit=False) as session:
        login = find_login(request, session, shared=shared, now=now)
        if login is None:
            raise LoginWanted(request)
        check_role(login.caller, request)
        enter_workspace(session, login.caller.workspace_id)
        yield PageCall(session=session, caller=login.caller, now=now, csrf=login.csrf)
        session.commit()


APageCall = Annotated[PageCall, Depends(open_page_call, scope="function")]


def open_form_call(call: APageCall, csrf: Annotated[str, Form()] = "") -> PageCall:
    """The same for a form, which must carry the token of its login."""
    if not is_same(csrf, call.csrf):
        raise Problem(403, "stale-form", "This form is from another login; reload the page.")
    return call


AFormCall = Annotated[PageCall, Depends(open_form_call)]


def is_from_elsewhere(request: Request) -> bool:
    """Whether another site made the browser send this."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.rpartition("//")[2] != request.headers.get("host")
