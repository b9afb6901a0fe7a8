import os
import signal
import time

import pytest

from simulacra.fullsim import WorkerPool

FATAL = """
-------- EEEE ------- G4Exception-START -------- EEEE -------
*** G4Exception : em0003
      issued by : G4ShellData::LoadData()
data file: binding.dat not found
*** Fatal Exception *** core dump ***
-------- EEEE -------- G4Exception-END --------- EEEE -------
"""


def complain_and_die():
    os.write(2, FATAL.encode())
    os.kill(os.getpid(), signal.SIGKILL)


def ignores_interrupts():
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_worker_s_last_words_are_kept(capfd):
    from concurrent.futures import BrokenExecutor

    with WorkerPool(1) as pool:
        with pytest.raises(BrokenExecutor):
            pool.submit(complain_and_die).result()
        words = pool.last_words()
    assert "em0003" in words
    assert "binding.dat not found" in words
    assert "\n" not in words
    assert capfd.readouterr() == ("", "")


def test_workers_leave_interrupts_to_the_parent():
    with WorkerPool(1) as pool:
        assert pool.submit(ignores_interrupts).result()
        assert pool.last_words() == ""


def fails():
    return ()[0]


def much():
    return bytes(30_000_000)


def test_an_error_amid_large_results_ends_the_run():
    """A worker that left while it sent a result once left the pool waiting for ever."""

    def run():
        with WorkerPool(2) as pool:
            futures = [pool.submit(work) for work in (much, fails, much, much, much, much)]
            futures[1].result()

    for _ in range(2):
        with pytest.raises(IndexError):
            run()


def test_after_an_error_nobody_waits_for_the_work_that_is_left():
    start = time.monotonic()

    def interrupted():
        with WorkerPool(1) as pool:
            pool.submit(os.getpid).result()
            pool.submit(time.sleep, 60)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - start < 20
