"""`bootstrap run SERVICE -- CMD` without a parser, because scripts call it again and again.

Importing the parser takes as long as everything else that this form needs. Every other form is the parser's,
and so is every error: it then tries the same once more, and has the words for it.
"""

import contextlib
from collections.abc import Sequence
from typing import NoReturn

from bootstrap.cli.session import Session
from bootstrap.flows.run import child_environment, host_environment, keyless
from bootstrap.flows.sessions.handing import Fail, Sessions
from bootstrap.model.errors import BootstrapError
from bootstrap.model.grant import Purpose
from bootstrap.system.execute import execute
from bootstrap.system.venv import folder

_FAILED_BEFORE = 125


def run_directly(arguments: Sequence[str]) -> None:
    """Become CMD if `arguments` are of that form and nothing is in the way; return otherwise."""
    match arguments:
        case ["run", service, "--", _, *_] if not service.startswith("-"):
            with contextlib.suppress(Exception):
                become(Session(None, as_json=False), service, arguments[3:])


def become(
    session: Session, service: str, command: Sequence[str], *, raw: bool = False, fail: Fail | None = None
) -> NoReturn:
    """Replace this process by `command` with the environment of `service`.

    `raw` and `fail` are those of Sessions. Raises BootstrapError.
    """
    failed: list[Purpose] = []

    def heard(purpose: Purpose, error: BootstrapError) -> None:
        if fail is None:
            raise error
        failed.append(purpose)
        fail(purpose, error)

    try:
        sessions = Sessions(session.project, lambda: session.lookup, session.environ, raw=raw, fail=heard)
        variables = host_environment(session.project, service, session.workspace, session.state, sessions)
        environment = child_environment(
            session.environ, session.project, variables, folder(session.root, service)
        )
    except BootstrapError as error:
        error.exit_code = _FAILED_BEFORE  # the codes from 126 on are the command's own
        raise
    execute(command, keyless(environment) if failed else environment)
