"""What the Compose env file encoder writes, read back by Docker Compose itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.encoding.formats import FORMATS

if TYPE_CHECKING:
    from tests.encoding.conftest import Compose

SERVICE = "services:\n  s:\n    image: x\n    env_file: [values.env]\n"


def test_a_later_line_does_not_see_an_earlier_one(compose: Compose) -> None:
    pairs = [("V_A", "first"), ("V_B", "$V_A ${V_A} ${V_A:-x}")]
    read = compose.environment(SERVICE, **{"values.env": FORMATS["compose-env"](pairs)})
    assert read == dict(pairs)
