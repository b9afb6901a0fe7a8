"""Exported files that several tests share; exporting takes seconds, so once is enough."""

import pytest

from simulacra.deploy import export
from simulacra.simulators.trained import TrainedSimulator
from tests.deploy.untrained import untrained


@pytest.fixture(scope="session")
def gan():
    """A tiny DNNCaloGAN: mechanics, not physics."""
    return untrained("dnncalogan")


@pytest.fixture(scope="session")
def gan_file(gan, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "gan.onnx"
    export(gan, "onnx", path)
    return path


@pytest.fixture(scope="session")
def photons():
    return TrainedSimulator.load("atlas-barrel-photons")


@pytest.fixture(scope="session")
def photons_file(photons, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "photons.onnx"
    export(photons, "onnx", path)
    return path
