"""The state of the whole process that one test could leave to the next."""

import sys
import warnings

import matplotlib as mpl
import numpy as np
import torch


def global_state():
    """Return the process's settings by name; equal before and after a test that keeps to itself.

    Torch's seed is compared, not its generator's place: weights that a test makes move the latter.
    Nothing of ours draws from numpy's global generator, so that one may not move.
    """
    numpy_random = np.random.get_state(legacy=False)  # noqa: NPY002
    drawn = numpy_random["state"]
    return {
        "torch threads": torch.get_num_threads(),
        "torch default dtype": torch.get_default_dtype(),
        "torch gradients": torch.is_grad_enabled(),
        "torch global seed": torch.initial_seed(),
        "torch deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "numpy global generator": (drawn["key"].tobytes(), drawn["pos"]),
        "numpy floating-point errors": np.geterr(),
        "filters of warnings": (list(warnings.filters), len(sys.modules)),
        "matplotlib rcParams": {k: v for k, v in dict.items(mpl.rcParams) if k != "backend"},
    }


def changed(before, after):
    """Return the names of what differs.

    Filters that appear while modules are imported for the first time are those modules' own.
    """
    names = [name for name in before if before[name] != after[name]]
    (filters, modules), (later, more) = (s["filters of warnings"] for s in (before, after))
    if filters == later or (more > modules and all(one in later for one in filters)):
        names = [name for name in names if name != "filters of warnings"]
    return names
