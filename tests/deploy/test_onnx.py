"""The exported file answers as torch does, carries its contract, and needs only standard ONNX."""

import copy
import json

import numpy as np
import onnx
import pytest
import torch

from simulacra.deploy import export
from simulacra.deploy import graph as deploy_graph
from simulacra.deploy.operators import precise_operators
from simulacra.deploy.parity import LARGEST, compare, relative_difference, typical_conditions
from simulacra.errors import ExportError
from simulacra.models import MODELS
from simulacra.runtime import Runtime
from simulacra.runtime.operators import DOMAINS, OPERATORS
from simulacra.simulators.trained import train
from simulacra.training.card import AdversarialCard
from tests.deploy.untrained import untrained

pytestmark = pytest.mark.slow

OPTIONS = {
    "cond-lstm": {"generator_width": 16, "generator_layers": 2},
    "progan": {"channels": [16, 16, 16]},
}
"""Where a tiny model would lose digits that one of common size keeps, in torch as in the file."""
BATCHES = (1, 7, 100, 1000)


@pytest.mark.parametrize("kind", MODELS)
def test_every_model_answers_as_torch_does(kind, small_card, photons, photons_file, tmp_path):
    """The shipped simulator of a kind, or a tiny one after two steps."""
    simulator, path = photons, photons_file
    if kind != photons.card.model_kind:
        card = small_card(kind, steps=2, **OPTIONS.get(kind, {}))
        simulator = train(card, tmp_path / "simulator")
        path = tmp_path / "simulator.onnx"
        export(simulator, "onnx", path)
    runtime = Runtime.load(path)
    conditions = typical_conditions(runtime.contract, 10_000, seed=1)
    parity = compare(simulator.surrogate, runtime, conditions, BATCHES)
    assert parity.events == 10_000
    assert parity.largest <= LARGEST
    assert parity.undecided <= 10
    model = onnx.load(path)
    assert {node.domain for node in model.graph.node} <= DOMAINS
    assert {node.op_type for node in model.graph.node} <= OPERATORS
    assert [opset.version >= 18 for opset in model.opset_import] == [True]
    assert not model.functions


def test_default_generator_is_as_exact_as_torch(photons, photons_file):
    """Against the same chain in double precision, neither is further off than the other."""
    runtime = Runtime.load(photons_file)
    conditions = typical_conditions(runtime.contract, 1000, seed=3)
    columns = photons.surrogate.columns(conditions)
    noise = torch.randn(1000, *runtime.contract.noise, generator=torch.Generator().manual_seed(3))
    twice = copy.deepcopy(photons.surrogate).double()
    with torch.inference_mode():
        exact = twice(columns.double(), noise.double())["showers"].numpy()
        single = photons.surrogate(columns, noise)["showers"].numpy()
    found = runtime.run(columns.numpy(), noise.numpy())["showers"]
    of_torch, of_file = (np.median(relative_difference(exact, x)) for x in (single, found))
    assert of_file < 1.5 * of_torch < 1e-6


def test_file_says_what_it_takes_and_gives(gan, gan_file, barrel):
    contract = Runtime.load(gan_file).contract
    assert [column.name for column in contract.columns] == list(barrel.conditions)
    assert contract.columns[0].unit == "MeV"
    assert contract.columns[0].range == gan.ranges["energy"]
    assert contract.columns[-1].categories == (0, 1, 2, 3)
    assert contract.noise == (8,)
    assert [(o.name, o.shape, o.unit) for o in contract.outputs] == [("showers", (266,), "MeV")]
    assert contract.fingerprint == barrel.fingerprint
    assert contract.facts["versions"]["torch"]
    carried = {entry.key: entry.value for entry in onnx.load(gan_file).metadata_props}
    assert "default_rng" in json.loads(carried["simulacra"])["noise_rule"]


def test_equal_work_gives_equal_bytes(gan, gan_file, tmp_path):
    export(gan, "onnx", tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == gan_file.read_bytes()
    assert list(tmp_path.iterdir()) == [tmp_path / "again.onnx"]
    assert b"site-packages" not in gan_file.read_bytes()  # nor does it tell of this machine


def test_operator_without_an_onnx_form_is_named(monkeypatch, tmp_path):
    simulator = untrained("dnncalogan")
    sample = simulator.surrogate.model.sample

    def sorted_cells(_, conditions, noise):
        return sample(conditions, noise).cummax(dim=1).values

    monkeypatch.setattr(type(simulator.surrogate.model), "sample", sorted_cells)
    with pytest.raises(ExportError, match=r"dnncalogan .* operator aten\.cummax has no ONNX form"):
        export(simulator, "onnx", tmp_path / "no.onnx")
    assert not list(tmp_path.iterdir())


def test_decision_by_value_is_explained(monkeypatch, tmp_path):
    simulator = untrained("dnncalogan")

    def sample(_, conditions, noise):
        return noise[:, :1].repeat(1, 266) if noise.sum() > 0 else conditions[:, :1].repeat(1, 266)

    monkeypatch.setattr(type(simulator.surrogate.model), "sample", sample)
    with pytest.raises(ExportError, match=r"torch\.export cannot trace it: .*data-dependent"):
        export(simulator, "onnx", tmp_path / "no.onnx")


def test_file_that_disagrees_does_not_appear(monkeypatch, gan, tmp_path):
    wrong = {torch.ops.aten.sigmoid.default: precise_operators()[torch.ops.aten.expm1.default]}
    monkeypatch.setattr(deploy_graph, "precise_operators", lambda: wrong)
    with pytest.raises(ExportError, match=r"from torch's by \d.* own is off by \d\.\de-0[78]"):
        export(gan, "onnx", tmp_path / "no.onnx")
    assert not list(tmp_path.iterdir())


def test_model_that_loses_digits_is_refused_with_what_torch_loses(small_card, tmp_path):
    """Pixels whose four channels are all small are normalised, and their rounding with them."""
    card = small_card("progan", steps=2, channels=[2, 2, 2])
    training = AdversarialCard(steps=2, batch_size=8, critic_updates=2)  # not what is recommended
    simulator = train(card.model_copy(update={"training": training}), tmp_path / "simulator")
    with pytest.raises(
        ExportError, match=r"[1-9]\d+ of 256 events are not decided .* off by \d\.\de-0[345]"
    ):
        export(simulator, "onnx", tmp_path / "no.onnx")
    assert not (tmp_path / "no.onnx").exists()


def test_events_that_single_precision_does_not_tell_are_counted_apart(gan, gan_file, monkeypatch):
    """A difference of large numbers in one event: both are right, and neither says the same."""
    runtime = Runtime.load(gan_file)
    conditions = typical_conditions(runtime.contract, 256, seed=1)
    sample, run = type(gan.surrogate.model).sample, Runtime.run

    def cancelling(model, encoded, noise):
        showers = sample(model, encoded, noise)
        lost = 1000 * showers.max() * torch.eye(len(showers), 1, dtype=showers.dtype)
        return (showers + lost) - lost if len(showers) == 256 else showers

    def other(self, columns, noise):
        found = run(self, columns, noise)
        if len(columns) == 1:  # the first batch, of the first event
            found["showers"] = found["showers"] * np.float32(1 + 1e-4)
        return found

    monkeypatch.setattr(Runtime, "run", other)
    assert not compare(gan.surrogate, runtime, conditions).agrees
    monkeypatch.setattr(type(gan.surrogate.model), "sample", cancelling)
    parity = compare(gan.surrogate, runtime, conditions)
    assert parity.undecided == 1
    assert parity.agrees


class SplitsAConstant(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("halves", torch.arange(4.0))

    def forward(self, x):
        first, second = self.halves.exp().split(2)
        return x * first.sum() + second.prod()


def test_exporters_say_nothing(caplog):
    caplog.set_level("WARNING")
    example = {"x": torch.ones(deploy_graph.EVENTS, 1)}
    deploy_graph.graph_of(SplitsAConstant(), example, ["y"], "splitter")
    assert caplog.text == ""


def test_unknown_form_lists_the_known(gan, tmp_path):
    with pytest.raises(ExportError, match="there are onnx, lwtnn, par04"):
        export(gan, "torchscript", tmp_path / "no")


class _Elementary(torch.nn.Module):
    def forward(self, x):
        softplus = torch.nn.functional.softplus
        log1p = torch.log1p(torch.exp(x))  # of numbers from 1e-17 to 5e8
        return torch.expm1(x), log1p, torch.sigmoid(x), softplus(x), softplus(x, beta=2.0)


def test_small_numbers_keep_their_digits(tmp_path):
    """ONNX Runtime's own sigmoid of -17 is wrong by its own size, and e^x - 1 cancels."""
    import onnxruntime

    x = torch.cat([-torch.logspace(-6, 1.6, 500), torch.logspace(-6, 1.3, 500)])
    with deploy_graph._quiet():
        program = torch.export.export(_Elementary(), (x,))
        exported = torch.onnx.export(
            program, custom_translation_table=precise_operators(), verbose=False, optimize=False
        )
        exported.save(tmp_path / "elementary.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "elementary.onnx")
    name = session.get_inputs()[0].name
    for found, exact in zip(
        session.run(None, {name: x.numpy()}), _Elementary()(x.double()), strict=True
    ):
        np.testing.assert_allclose(found, exact.numpy(), rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"bias": True, "stride": (1, 2, 1), "padding": (1, 0, 2)}])
def test_volumes_are_convolved_with_and_without_bias(options, tmp_path):
    convolution = torch.nn.Conv3d(2, 3, (2, 3, 2), **{"bias": False} | options)
    volumes = torch.randn(3, 2, 5, 6, 4, generator=torch.Generator().manual_seed(1))
    model = deploy_graph.graph_of(convolution, {"x": volumes}, ["y"], "convolution")
    deploy_graph.save_graph(model, tmp_path / "convolution.onnx")
    import onnxruntime

    session = onnxruntime.InferenceSession(tmp_path / "convolution.onnx")
    (found,) = session.run(None, {"x": volumes.numpy()})
    np.testing.assert_allclose(found, convolution(volumes).detach().numpy(), rtol=1e-5, atol=1e-6)
