"""The fixture that guards the tests from each other sees each change and no other."""

import contextlib
import warnings

import matplotlib as mpl
import numpy as np
import pytest
import torch

from tests.global_state import changed, global_state

CHANGES = {
    "torch threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch gradients": lambda: torch.set_grad_enabled(False),
    "torch global seed": lambda: torch.manual_seed(torch.initial_seed() + 1),
    "torch deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "numpy global generator": lambda: np.random.random(),  # noqa: NPY002
    "numpy floating-point errors": lambda: np.seterr(divide="raise"),
    "filters of warnings": lambda: warnings.simplefilter("ignore"),
    "matplotlib rcParams": lambda: mpl.rcParams.update({"axes.grid": True}),
}


@pytest.fixture
def restored():
    """Put back all that the changes change."""
    drawn, threads = np.random.get_state(), torch.get_num_threads()  # noqa: NPY002
    with contextlib.ExitStack() as stack:
        for kept in (warnings.catch_warnings, np.errstate, torch.enable_grad, mpl.rc_context):
            stack.enter_context(kept())
        stack.enter_context(torch.random.fork_rng(devices=[]))
        yield
    np.random.set_state(drawn)  # noqa: NPY002
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named(name, restored):
    before = global_state()
    CHANGES[name]()
    assert changed(before, global_state()) == [name]


def test_what_is_looked_at_is_what_is_tested():
    assert list(CHANGES) == list(global_state())
