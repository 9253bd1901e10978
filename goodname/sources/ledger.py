"""What is asked by hand counts too: in the ledger from which the crawls of a credential spend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.errors import DatabaseError, GoodnameError
from core.settings import Settings
from crawlers.contract import Request, Spider
from crawlers.credentials import credential_name
from crawlers.quota import Account, spend
from goodname.sources.find import has_database, opened, why_not

#: Counts a request that is about to be sent; ``QuotaError`` when it may not be.
Spend = Callable[[Request], None]


def nothing(request: Request) -> None:
    """Count nothing: there is no budget, or nobody else to spend from it."""
    del request


@contextmanager
def ledger(
    settings: Settings, spider: Spider, config: Any, *, clock: Callable[[], datetime]
) -> Iterator[Spend]:
    """Count the requests of one source; ``GoodnameError`` when the database does not answer.

    Where there is no database nothing crawls, and nothing is counted.
    """
    if not spider.quotas or not has_database(settings):
        yield nothing
        return
    name = credential_name(spider, config)
    with ExitStack() as stack:
        try:
            session = stack.enter_context(opened(settings))
        except (DatabaseError, SQLAlchemyError) as error:
            raise _uncounted(spider, error) from None

        def count(request: Request) -> None:
            account = Account(spider.kind, name, request.bucket)
            _spend(session, spider, account, cost=request.cost, now=clock())

        yield count


def _spend(session: Session, spider: Spider, account: Account, *, cost: int, now: datetime) -> None:
    budget = spider.quotas.get(account.bucket)
    if budget is None or cost <= 0:
        return
    try:
        with session.begin():
            spend(session, account, budget, cost=cost, now=now)
    except SQLAlchemyError as error:
        raise _uncounted(spider, error) from None


def _uncounted(spider: Spider, error: Exception) -> GoodnameError:
    return GoodnameError(f"the quota of {spider.kind} cannot be counted: {why_not(error)}")
