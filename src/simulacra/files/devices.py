"""Names of devices that networks run on."""

from __future__ import annotations

from simulacra.errors import SimulacraError

CPU = "cpu"
NAMES = "auto, cpu, cuda, cuda:1, mps"


def device_of(wanted: str) -> str:
    """Return a device for its name, of which ``auto`` is CUDA where there is one, or else the CPU.

    Raises:
        SimulacraError: this machine has no such device.
    """
    if wanted == CPU:
        return CPU
    import torch  # slow to import, and what runs on the CPU may do without

    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda" if cuda else CPU
    found = {CPU: 1, "cuda": cuda, "mps": int(torch.mps.is_available())}
    kind, _, number = wanted.partition(":")
    if kind in found and (not number or number.isdecimal()) and int(number or 0) < found[kind]:
        return wanted
    there = ", ".join(name for name, count in found.items() if count)
    known = "" if kind in found else f" (names are {NAMES})"
    msg = f"no device {wanted!r} on this machine{known}; there is {there}"
    raise SimulacraError(msg)
