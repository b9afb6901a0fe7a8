"""Geant4's example Par04 would find what it asks for: its inputs, its order, its energies."""

import math
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from simulacra.deploy import export
from simulacra.deploy.par04 import Par04Graph, cylinder_of
from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import ExportError
from tests.deploy.untrained import untrained

pytestmark = pytest.mark.slow


def test_voxels_are_fractions_in_the_order_of_the_example(tmp_path):
    """What Par04InferenceSetup does, with the first and only input and output of the file."""
    simulator = untrained("dnncalogan", detector="par04-siw")
    path = tmp_path / "siw.onnx"
    written = export(simulator, "par04", path)
    assert "/Par04/inference/setSizeLatentVector 8" in written
    assert "/Par04/inference/setNbOfRhoCells 9" in written
    assert "/Par04/inference/setSizeOfZCells 3.4 mm" in written
    energy, theta, latent = 65_000.0, math.pi / 9, 8  # the example's 70 degrees
    noise = np.random.default_rng(1).standard_normal(latent).astype(np.float32)
    generated = np.concatenate([noise, [energy / 1_024_000.0, 7 / 9, 0.0, 1.0]]).astype(np.float32)
    session = onnxruntime.InferenceSession(path)
    (given,) = session.get_inputs()
    (fractions,) = session.run(None, {given.name: generated[None]})
    with torch.inference_mode():
        response = simulator.surrogate(
            torch.tensor([[energy, theta]]), torch.from_numpy(noise[None])
        )
    expected = response["showers"].numpy().reshape(45, 16, 9)
    found = fractions[0].reshape(9, 16, 45) * energy
    np.testing.assert_allclose(found.transpose(2, 1, 0), expected, rtol=1e-5)
    assert {node.domain for node in onnx.load(path).graph.node} == {""}


def test_detectors_that_are_no_such_cylinder_are_refused(gan, tmp_path):
    with pytest.raises(ExportError, match="the example does not give alignment_eta"):
        export(gan, "par04", tmp_path / "no.onnx")
    assert not list(tmp_path.iterdir())
    for name, why in (
        ("alice-tpc", "it is a tpc"),
        ("calogan", "not all cut alike"),
        ("calochallenge-1-photons", "not all cut alike"),
    ):
        with pytest.raises(ExportError, match=why):
            cylinder_of(load_detector(name))
    text = load_detector("par04-siw").to_yaml()
    with pytest.raises(ExportError, match="not of one width"):
        cylinder_of(parse_detector(text.replace("41.85", "45")))


class _Recorder(torch.nn.Module):
    """In a surrogate's place: it answers with its conditions."""

    encoder = SimpleNamespace(names=("theta", "energy"))
    model = SimpleNamespace(noise_shape=lambda n: (n, 2))

    def forward(self, columns, noise):
        return {"showers": torch.cat([columns, noise], dim=1)}


def test_conditions_are_given_in_our_units_and_order():
    """The example's 90 degrees are 1 and no tilt, its 1024 GeV are 1; the noise comes first."""
    graph = Par04Graph(_Recorder(), (4, 1, 1))
    for polar in (2 / 3, 4 / 3):
        given = torch.tensor([[0.1, 0.2, 0.5, polar, 0.0, 1.0]])
        theta, energy, *noise = (graph(given) * 512_000).squeeze(0).tolist()
        assert (theta, energy) == pytest.approx((np.pi / 6, 512_000.0))
    assert noise == pytest.approx([0.1, 0.2])
