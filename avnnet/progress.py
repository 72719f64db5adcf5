"""Words and bars that say what is being done: a live bar in a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_EVERY_S = 15.0

Step = Callable[..., None]


def count_within(step: Step, done: int, note: str, unit: str) -> Callable[[int, int], None]:
    """A function `(nth, total)` that counts the parts of one long step in its note.

    Args:
        step: of `Reporter.steps`.
        done: how many steps are done already.
        note: the note of the step that is going on.
        unit: what is counted.

    Examples:
        >>> count_within(print, 4, "case-07", "network")(2, 10)
        4 case-07, network 2 of 10
    """
    return lambda nth, total: step(done, f"{note}, {unit} {nth} of {total}")


class Reporter:
    """Tells the user what is being done.

    Args:
        is_quiet: say nothing; for notebooks and tests.

    Examples:
        >>> with Reporter(is_quiet=True).steps("reading", 3) as step:
        ...     step(1, "case-07")
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self.is_quiet = is_quiet
        self.started_s = time.monotonic()
        self._print: Callable[[str], None] = lambda line: print(line, flush=True)

    def say(self, text: str) -> None:
        """Prints a line with the minutes since the start."""
        if not self.is_quiet:
            minutes, seconds = divmod(int(time.monotonic() - self.started_s), 60)
            self._print(f"[{minutes:02d}:{seconds:02d}] {text}")

    @contextmanager
    def steps(self, title: str, total: int) -> Iterator[Step]:
        """A function `step(done, note)` to call as the work goes on.

        Args:
            title: what is being done.
            total: how many steps there are.
        """
        if self.is_quiet:
            yield lambda done, note="": None
        elif sys.stdout.isatty():
            with self._bar(title, total) as step:
                yield step
        else:
            with self._lines(title, total) as step:
                yield step

    @contextmanager
    def _bar(self, title: str, total: int) -> Iterator[Step]:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}"),
        ]
        with Progress(*columns, transient=True) as bar:
            task = bar.add_task(title, total=total, note="")

            def step(done: int, note: str = "") -> None:
                bar.update(task, completed=done, note=note)

            # a plain print would tear the live bar
            plain, self._print = self._print, lambda line: bar.console.print(line, markup=False, highlight=False)
            try:
                yield step
            finally:
                self._print = plain
        self.say(f"{title}: {total} done")

    @contextmanager
    def _lines(self, title: str, total: int) -> Iterator[Step]:
        last_s = time.monotonic() - LINE_EVERY_S
        said_end = False

        def step(done: int, note: str = "") -> None:
            nonlocal last_s, said_end
            now_s = time.monotonic()
            if done >= total or now_s - last_s >= LINE_EVERY_S:
                if not said_end:
                    self.say(f"{title}: {done}/{total} {note}".rstrip())
                last_s, said_end = now_s, done >= total

        yield step
