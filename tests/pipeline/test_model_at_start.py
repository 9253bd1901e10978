"""A judge that does not exist is an error at the start, not in every job."""

from __future__ import annotations

import pytest

from core.database import Urls
from core.errors import GoodnameError
from core.queue import Queue
from core.settings import SentimentSection, Settings
from pipeline.worker import run_worker


def test_an_unknown_model_ends_the_worker_before_it_takes_a_job() -> None:
    nowhere = Urls(owner="postgresql:///nowhere", app="postgresql:///nowhere")
    settings = Settings(sentiment=SentimentSection(model="linaer"))
    with pytest.raises(GoodnameError, match="unknown judge 'linaer'"):
        run_worker(settings, nowhere, queues=[Queue.JUDGE])
