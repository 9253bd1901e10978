"""The judges that every promise of the interface is tested on."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentiment.judge import Judge
from sentiment.load import load_judge
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import SHIPPED, NeuralModel, load_model
from tests.sentiment.networks import write_model


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model folder with a network of one layer."""
    return write_model(tmp_path_factory.mktemp("model") / "small")


@pytest.fixture(scope="session")
def small(small_folder: Path) -> NeuralModel:
    """A network whose opinions a test can foresee."""
    return load_model(small_folder)


@pytest.fixture(scope="session")
def shipped() -> NeuralModel:
    """The network that users have."""
    return load_model(SHIPPED)


@pytest.fixture(scope="session", params=["linear", "small", "neural"])
def every_judge(request: pytest.FixtureRequest) -> Judge:
    """Each judge in turn."""
    if request.param == "linear":
        return load_judge("linear")
    kind = "shipped" if request.param == "neural" else "small"
    return NeuralJudge(request.getfixturevalue(kind), threads=2)
