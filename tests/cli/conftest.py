"""Where the verbs about secrets are tried."""

from pathlib import Path

import pytest

from tests.secrets.shop import Shop
from tests.secrets.stand_ins.machine import StandIns

# No test module by its name, and its assertions should explain themselves all the same.
pytest.register_assert_rewrite("tests.secrets.outcomes")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A project of acme/shop on this machine, with an empty home and no store chosen."""
    return Shop(tmp_path)


@pytest.fixture
def programs(tmp_path: Path) -> StandIns:
    """The stand-ins for `gp`, `gh` and `ona`."""
    return StandIns(tmp_path / "stand-ins")
