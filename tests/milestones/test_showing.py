"""What `tag show` prints for a journal, whole, and whatever commits and files are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.flows.tags.showing import Week, day, markdown
from bootstrap.system.git_log import FileChange, Line
from tests.conftest import Bootstrap, Repository

EXPECTED = """\
## Week 2

2026-01-05 to 2026-01-11: 2 commits, 2 files changed, 2 lines added, 0 removed.

[Compare week2-start with week2](https://{page}compare/week2-start...week2)

### Commits

- [`{second:.7}`](https://{commits}/commit/{second}) Draw \\*stars\\* \\[here\\](there) \\& \\<b\\>
- [`{first:.7}`](https://{commits}/commit/{first}) Begin

### Files

| file | added | removed |
|---|--:|--:|
| `a file.txt` | 2 | 0 |
| `image.bin` | binary | binary |

```sh
git diff week2-start week2
```
"""


@pytest.fixture
def week(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with a week of two commits."""
    repository.commit("Before")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-01-05T08:00:00+01:00")
    repository.git("tag", "--annotate", "--message", "Begin", "week2-start")
    repository.write("image.bin", "\0")
    repository.commit("Begin")
    repository.write("a file.txt", "one\ntwo\n")
    repository.commit("Draw *stars* [here](there) & <b>")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-01-11T23:30:00-05:00")
    repository.git("tag", "--annotate", "--message", "Finish", "week2")
    return repository


@pytest.mark.parametrize(
    ("url", "page", "commits"),
    [
        ("git@github.com:acme/journal.git", "github.com/acme/journal/", "github.com/acme/journal"),
        (
            "https://gitlab.com/acme/notes/journal",
            "gitlab.com/acme/notes/journal/-/",
            "gitlab.com/acme/notes/journal/-",
        ),
    ],
)
def test_the_whole_text(week: Repository, bootstrap: Bootstrap, url: str, page: str, commits: str) -> None:
    week.git("remote", "add", "origin", url)
    second, first = week.git("rev-list", "--max-count=2", "HEAD").split()
    shown = bootstrap("tag", "show", "2", cwd=week.root).check(0)
    assert shown.out == EXPECTED.format(page=page, commits=commits, first=first, second=second)


def test_without_a_page_and_with_a_branch_of_the_same_name(week: Repository, bootstrap: Bootstrap) -> None:
    week.git("branch", "week2")
    shown = bootstrap("tag", "show", "2", cwd=week.root).check(0)
    assert "http" not in shown.out
    command = "git diff week2-start refs/tags/week2"
    assert command in shown.out
    assert week.git(*command.split()[1:]) == week.git("diff", "refs/tags/week2-start", "refs/tags/week2")


TEXT = st.text(min_size=1, max_size=30)


@given(TEXT, TEXT)
def test_nothing_that_is_called_so_ends_a_row_or_begins_a_block(subject: str, path: str) -> None:
    found = Week(
        title="Week 1",
        after=None,
        until="week1",
        after_commit=None,
        until_commit="0" * 40,
        started=None,
        finished=None,
        commits=[Line("0" * 40, subject)],
        files=[FileChange(path, 1, 0)],
        page=None,
        compare=None,
    )
    lines = markdown(found).splitlines()
    assert len(lines) == 17
    assert lines[6].startswith("- `0000000` ")
    assert lines[12].startswith("| `")
    assert lines[12].endswith("` | 1 | 0 |")


@given(st.integers(-(2**62), 2**62), st.from_regex(r"\A[+-][0-9]{4}\Z"))
def test_any_moment_is_a_day_or_none(seconds: int, zone: str) -> None:
    found = day(seconds, zone)
    assert found is None or len(found.split("-")) >= 3
