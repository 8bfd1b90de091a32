"""ENV instructions of a Dockerfile, as Docker's reference describes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.vendors.naming.dockerfile import environment


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM x\nENV A=1 B='two words' C=\"3\"\n", {"A": "1", "B": "two words", "C": "3"}),
        ("env A the rest of the line \n", {"A": "the rest of the line"}),
        ("ENV A=1 \\\n    B=2\r\n", {"A": "1", "B": "2"}),
        ("ENV A=1\nENV A=2\n", {"A": "2"}),
        ("ENV A=1\nENV A=$B\nENV C=${A}x D=1\n", {"D": "1"}),
        ("ENV A='\nENV\nENV B\nRUN ENV C=1\n# ENV D=1\nARG E=1\n", {}),
    ],
)
def test_what_it_says_outright_is_found(text: str, found: dict[str, str]) -> None:
    assert environment(text) == found


@given(st.text(alphabet="ENV ab=\\'\"$\n\t\r#", max_size=60))
def test_whatever_it_says_it_is_read_or_left(text: str) -> None:
    assert all("$" not in value for value in environment(text).values())


names = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,8}\Z")


@given(st.dictionaries(names, st.text(alphabet="ab c#=*-.", max_size=8), max_size=5))
def test_what_was_written_is_read(variables: dict[str, str]) -> None:
    text = "".join(f'ENV {name}="{value}"\n' for name, value in variables.items())
    assert environment(text) == variables
