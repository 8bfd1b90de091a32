"""What installers note about themselves becomes a requirement, and what is no address of git's does not."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.model.manifest import INSTALL
from bootstrap.system import origin

COMMIT = "0123456789abcdef" * 2 + "01234567"
URL = "https://git.example.com/ann/tool.git"


def noted(url: str = URL, **more: Any) -> str:
    vcs = {"vcs": "git", "commit_id": COMMIT, "requested_revision": "main", **more.pop("vcs_info", {})}
    return json.dumps({"url": url, "vcs_info": vcs, **more})


def test_a_branch_becomes_its_commit() -> None:
    assert origin.requirement(noted()) == f"git+{URL}@{COMMIT}"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        noted("file:///home/ann/tool"),
        noted("ssh://git@git.example.com/ann/tool.git"),
        noted("http://git.example.com/ann/tool.git"),
        noted("https://ann:made-up@git.example.com/ann/tool.git"),
        noted("https://****:****@git.example.com/ann/tool.git"),
        noted(f"{URL}\n"),
        noted(f"{URL}' ; touch x '"),
        noted(subdirectory="tool"),
        noted(vcs_info={"vcs": "hg"}),
        noted(vcs_info={"commit_id": COMMIT[:12]}),
        json.dumps({"url": "file:///home/ann/tool", "dir_info": {"editable": True}}),
        json.dumps({"url": "https://git.example.com/tool.whl", "archive_info": {}}),
        json.dumps({"url": URL, "vcs_info": "git"}),
    ],
)
def test_everything_else_is_not_known(text: str | None) -> None:
    assert origin.requirement(text) is None


values = st.recursive(
    st.none() | st.booleans() | st.text() | st.just(COMMIT) | st.just("git"),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["vcs", "commit_id", "x"]), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["url", "vcs_info", "subdirectory"]), values | st.just(URL)))
def test_whatever_it_holds_the_manifest_takes_what_comes_of_it(document: dict[str, Any]) -> None:
    made = origin.requirement(json.dumps(document))
    assert made is None or re.search(INSTALL, made)


def test_a_checkout_knows_no_address() -> None:
    assert origin.installed_from() is None
