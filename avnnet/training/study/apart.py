"""Jobs in processes of their own, each with its share of the cores: small networks scale badly over threads."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from avnnet.cases.loop import in_words
from avnnet.errors import WorkerFailed
from avnnet.progress import Reporter, Step

# read when torch and numpy are imported; their libraries for matrices each have one of their own
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """A piece of work for another process.

    Args:
        name: what an error names it by: "fold 1 of 5, training unet3d".
        words: the arguments of the work; they are sent to the process.
        after: names of the jobs that must be done before.
    """

    name: str
    words: tuple[Any, ...] = ()
    after: tuple[str, ...] = ()


class _Relay(Reporter):
    """Tells the parent process what a worker is doing; it prints."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    def say(self, text: str) -> None:
        self._pipe.send(("say", text))

    @contextmanager
    def steps(self, title: str, total: int) -> Iterator[Step]:
        def step(done: int, note: str = "") -> None:
            self._pipe.send(("step", f"{title}: {done}/{total} {note}".rstrip()))

        yield step


@dataclass
class _Worker:
    """A process, this end of its pipe, and the job that it has at the moment."""

    process: BaseProcess
    pipe: Connection
    job: Job | None = None


def run_apart(jobs: Sequence[Job], work: Callable[..., None], processes: int, reporter: Reporter) -> None:
    """Does all jobs in processes of their own, so many at a time; a job begins when those it comes after are done.

    Each process computes with its share of this one's threads. The order in which jobs end does not matter to what they
    do. If one fails, or its process is killed, the others that do not need it are still done.

    Args:
        jobs: in the order in which they are to begin.
        work: a function of a module, called with the words of a job and, last, a reporter.
        processes: how many at a time.
        reporter: told what the processes tell theirs.

    Raises:
        WorkerFailed: in the end, if jobs failed or their processes were killed; it names them.
    """
    threads = max(1, torch.get_num_threads() // processes)
    _give_memory_back()
    workers = [_started(work, threads) for _ in range(min(processes, len(jobs)))]
    waiting, done, failed = list(jobs), set[str](), dict[str, str]()
    try:
        with reporter.steps(f"working in {processes} processes", len(jobs)) as step:
            while True:
                _hand_out(waiting, done, workers)
                busy = [worker for worker in workers if worker.job is not None]
                if not busy:
                    break
                for worker in _with_news(busy):
                    kind, text = _news(worker)
                    if kind == "say":
                        reporter.say(text)
                    elif kind == "step":
                        step(len(done), text)
                    elif worker.job is not None:
                        name, worker.job = worker.job.name, None
                        if kind == "done":
                            done.add(name)
                            step(len(done), name)
                        else:
                            failed[name] = text
                            reporter.say(f"{name} failed: {text}")
                        if kind == "killed":
                            workers.remove(worker)
    finally:
        for worker in workers:
            worker.process.kill()  # every file is whole or not there, whoever is killed when
            worker.process.join()
            worker.pipe.close()
    if failed:
        first = next(iter(failed))
        others = [job.name for job in waiting] + [name for name in failed if name != first]
        left = f"; also not done: {', '.join(others)}" if others else ""
        raise WorkerFailed(f"{first}: {failed[first]}{left}. The same command goes on with what is missing")


def _started(work: Callable[..., None], threads: int) -> _Worker:
    # a fork of this process could deadlock, for it has computed with threads (pytorch#1355): workers are forked from a
    # server that has not, and share what it has imported. With CUDA they are not: what it begins outlives no fork
    is_forked = sys.platform == "linux" and not torch.cuda.is_available()
    context = multiprocessing.get_context("forkserver") if is_forked else multiprocessing.get_context("spawn")
    context.set_forkserver_preload(["avnnet.training.study.preloaded"])
    ours, theirs = context.Pipe()
    with _threads_of_children(threads):
        process = context.Process(target=_serve, args=(theirs, work, threads, dict(os.environ)), daemon=True)
        process.start()
    theirs.close()  # so that this end is told when the process is gone
    return _Worker(process, ours)


def _give_memory_back() -> None:
    """Gives the system what is freed and kept for later, for this process only waits now; of glibc it can be asked."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


@contextmanager
def _threads_of_children(threads: int) -> Iterator[None]:
    """Processes that are started in the block compute with so many threads, in every library."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _hand_out(waiting: list[Job], done: set[str], workers: Sequence[_Worker]) -> None:
    for worker in workers:
        job = next((job for job in waiting if done.issuperset(job.after)), None)
        if worker.job is None and job is not None:
            waiting.remove(job)
            worker.job = job
            try:
                worker.pipe.send(job.words)
            except OSError:
                continue  # it is dead, and the news of it will be that


def _with_news(busy: Sequence[_Worker]) -> list[_Worker]:
    ready = wait([worker.pipe for worker in busy])
    return [worker for worker in busy if worker.pipe in ready]


def _news(worker: _Worker) -> tuple[str, str]:
    try:
        kind, text = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join()
        code = worker.process.exitcode or 0
        why = f"by signal {-code}, for want of memory perhaps" if code < 0 else f"exit code {code}"
        return "killed", f"its process ended ({why})"
    return str(kind), str(text)


def _serve(pipe: Connection, work: Callable[..., None], threads: int, environment: dict[str, str]) -> None:
    """The life of a worker: jobs come in by the pipe, and news go out."""
    os.environ.clear()  # of the server, as it was when it was started
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    threadpool_limits(threads)  # the server may have been started for another number
    relay = _Relay(pipe)
    while True:
        try:
            work(*pipe.recv(), relay)
            pipe.send(("done", ""))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return  # the parent is gone
        except Exception as error:
            traceback.print_exc()
            pipe.send(("failed", in_words(error)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # or the same command, called again, would train in the folder that this one still trains in
