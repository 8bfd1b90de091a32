"""Several questions in the same moment, for who would wait for each of them otherwise."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any


def ask(questions: Iterable[Callable[[], Any]]) -> list[Future[Any]]:
    """Ask each in a thread of its own; every future is done when this returns.

    Ctrl-C ends the wait, and with the process the threads: none is waited for at the exit.
    """
    futures = []
    for question in questions:
        future: Future[Any] = Future()
        threading.Thread(target=_answer, args=(question, future), daemon=True, name="at-once").start()
        futures.append(future)
    for future in futures:
        future.exception()
    return futures


def answers(*questions: Callable[[], Any]) -> Sequence[Any]:
    """Ask them all, and return the answers; raises the first error in the order of the questions."""
    return [future.result() for future in ask(questions)]


def _answer(question: Callable[[], Any], future: Future[Any]) -> None:
    try:
        future.set_result(question())
    except BaseException as error:  # noqa: BLE001 - whoever waits is told
        future.set_exception(error)
