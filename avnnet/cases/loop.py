"""The loop over many cases: each is told of, and one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from avnnet.progress import Reporter, Step, count_within

Item = TypeVar("Item")
Result = TypeVar("Result")


class Turn:
    """The turn of one case in a loop.

    Args:
        step: of `Reporter.steps`.
        done: how many cases were done before it.
        name: of the case.

    Attributes:
        on_network: to be called with networks done and networks in all, while the case is predicted.
        note: what is said of the case when its turn is over; its name, unless the work says more.
    """

    def __init__(self, step: Step, done: int, name: str) -> None:
        self.on_network = count_within(step, done, name, "network")
        self.note = name


def in_words(error: Exception) -> str:
    """The name of an error and what it says, as the column `error` of a table has it.

    Examples:
        >>> in_words(ValueError("no such side"))
        'ValueError: no such side'
    """
    return f"{type(error).__name__}: {error}"


def each_case(
    items: Sequence[Item],
    work: Callable[[Item, Turn], Iterable[Result]],
    failed: Callable[[Item, str], Iterable[Result]],
    *,
    name: Callable[[Item], str],
    title: str,
    reporter: Reporter,
    words: Callable[[Item, Exception], str] = lambda _, error: in_words(error),
) -> list[Result]:
    """The results of all items, in their order.

    Args:
        items: the cases.
        work: an item and its turn to its results, such as rows of a table.
        failed: an item that `work` raised an error for, and the error in words, to the results in place of those.
        name: of an item.
        title: what is being done.
        reporter: told of each item, and of every error when it happens.
        words: an error in words; by default its name and message.

    Examples:
        >>> quiet = Reporter(is_quiet=True)
        >>> said = dict(name=str, title="dividing", reporter=quiet)
        >>> each_case([2, 0], lambda n, turn: [6 // n], lambda n, why: [why[:17]], **said)
        [3, 'ZeroDivisionError']
    """
    results: list[Result] = []
    with reporter.steps(title, len(items)) as step:
        for done, item in enumerate(items):
            turn = Turn(step, done, name(item))
            try:
                found = list(work(item, turn))
            except Exception as error:  # the other cases go on, and what this one gives says why it is missing
                why = words(item, error)
                reporter.say(f"{name(item)} failed: {why}")
                found = list(failed(item, why))
            results += found
            step(done + 1, turn.note)
    return results
