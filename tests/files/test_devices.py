import pytest

from simulacra.errors import SimulacraError
from simulacra.files.devices import device_of


def test_names_of_devices():
    assert device_of("cpu") == "cpu"
    assert device_of("auto") in ("cpu", "cuda")
    with pytest.raises(SimulacraError, match=r"'tpu' .* \(names are auto, cpu, cuda"):
        device_of("tpu")
    with pytest.raises(SimulacraError, match="no device 'cuda:99' on this machine; there is cpu"):
        device_of("cuda:99")
