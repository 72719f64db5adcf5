"""An interrupt stays one, whatever other code makes of it."""

import os
import signal
import threading
import time

import pytest

from avnnet.training.interrupt import clean_interrupt


@pytest.fixture(autouse=True)
def hears_interrupts():
    """Ctrl-C as in a terminal: a process that a shell put in the background was started deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted_as(error: type[BaseException]) -> None:
    """Presses Ctrl-C, swallows it as some libraries do, and raises another error."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    except KeyboardInterrupt:
        raise error("swallowed") from None


@pytest.mark.parametrize("error", [ValueError, RuntimeError, SystemExit, KeyboardInterrupt])
def test_an_interrupt_that_other_code_made_another_error_of_is_an_interrupt_again(error):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), clean_interrupt():
        interrupted_as(error)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_without_an_interrupt_stays_what_it_is():
    with pytest.raises(ValueError, match="mine"), clean_interrupt():
        raise ValueError("mine")


def test_a_handler_that_the_block_left_behind_is_gone_after_it():
    before = signal.getsignal(signal.SIGINT)
    with clean_interrupt():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as Lightning does
    assert signal.getsignal(signal.SIGINT) is before


def test_a_thread_that_hears_no_signals_is_served_too():
    caught: list[BaseException] = []

    def work() -> None:
        try:
            with clean_interrupt():
                raise SystemExit(1)
        except KeyboardInterrupt as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(caught) == 1
