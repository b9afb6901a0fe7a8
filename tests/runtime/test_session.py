"""Generation from an exported file: seeds, conditions, threads, and what it takes to run."""

import json
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest

from simulacra.errors import EventsError, MissingDependencyError, SimulatorError
from simulacra.files.digests import PLACEHOLDER, seal
from simulacra.runtime import Contract, Runtime
from simulacra.runtime import session as runtime_session
from simulacra.runtime.contract import KEY
from simulacra.runtime.operators import require_known_operators
from simulacra.runtime.session import NeedsMemoryError

pytestmark = pytest.mark.slow

PHOTON = {
    "energy": 2000.0,
    "impact_eta": 3.0,
    "impact_phi": -8.0,
    "alignment_eta": 1,
    "alignment_phi": 2,
}


@pytest.fixture
def runtime(gan_file):
    return Runtime.load(gan_file)


@pytest.fixture
def many(events):
    return {name: events.conditions[name] for name in events.conditions.columns}


def test_same_seed_same_bytes_other_seed_other_events(runtime, many):
    first, again, other = (runtime.generate(many, seed)["showers"] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == (64, 266)
    assert first.dtype == np.float32


def test_first_events_do_not_depend_on_how_many_follow(runtime, many, monkeypatch):
    whole = runtime.generate(many, 3)["showers"]
    few = runtime.generate({name: column[:10] for name, column in many.items()}, 3)["showers"]
    np.testing.assert_allclose(few, whole[:10], rtol=1e-5, atol=1e-6)
    monkeypatch.setattr(runtime_session, "BLOCK", 7)
    np.testing.assert_allclose(runtime.generate(many, 3)["showers"], whole, rtol=1e-5, atol=1e-6)


def test_a_worker_process_gets_the_whole_file(gan_file, tmp_path):
    """Pickled it depends on no path, and gives the same bytes for the same seed."""
    path = tmp_path / "moved.onnx"
    path.write_bytes(gan_file.read_bytes())
    runtime = Runtime.load(path, threads=2)
    pickled = pickle.dumps(runtime)
    path.unlink()
    again = pickle.loads(pickled)
    assert again.contract == runtime.contract
    assert again._session.get_session_options().intra_op_num_threads == 2
    expected = runtime.generate(PHOTON, 3)["showers"]
    assert np.array_equal(again.generate(PHOTON, 3)["showers"], expected)
    assert "onnx" not in repr(runtime)[:200]


def test_generator_goes_on_where_it_was(runtime):
    rng = np.random.default_rng(5)
    first, second = (runtime.generate(PHOTON, rng)["showers"] for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, runtime.generate(PHOTON, 5)["showers"])


def test_single_values_stand_for_all_rows(runtime):
    one = runtime.generate(PHOTON, 1)["showers"]
    assert one.shape == (1, 266)
    three = runtime.generate(PHOTON | {"energy": [1000.0, 2000.0, 4000.0]}, 1)["showers"]
    assert three.shape == (3, 266)
    none = runtime.generate(PHOTON | {"energy": []}, 1)["showers"]
    assert none.shape == (0, 266)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"energy": -1.0}, "'energy' must be positive, got -1 MeV"),
        ({"impact_eta": np.nan}, "not finite"),
        ({"alignment_phi": 4}, r"must be one of \(0, 1, 2, 3\)"),
        ({"energy": np.ones((2, 2))}, "columns of one length"),
        ({"energy": [1.0, 2.0], "impact_eta": [1.0, 2.0, 3.0]}, "columns of one length"),
        ({"energy": "much"}, "single numbers"),
        ({"energy": None}, "not finite"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(runtime, wrong, message):
    with pytest.raises(EventsError, match=message):
        runtime.generate(PHOTON | wrong, 1)


def test_missing_condition_is_named(runtime):
    rest = {name: value for name, value in PHOTON.items() if name != "impact_phi"}
    with pytest.raises(EventsError, match="no condition 'impact_phi' among energy"):
        runtime.generate(rest, 1)


def test_outside_flags_untrained_energies(runtime, gan):
    low, high = gan.ranges["energy"]
    outside = runtime.outside(PHOTON | {"energy": [low / 2, low, high, high * 2]})
    assert list(outside) == [True, False, False, True]


def test_threads_share_one_runtime(runtime, many):
    """Each with its own seed; the answers are those of one after the other."""
    alone = [runtime.generate(many, seed)["showers"] for seed in range(16)]
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda seed: runtime.generate(many, seed)["showers"], range(16))
        for a, b in zip(alone, together, strict=True):
            assert np.array_equal(a, b)


def test_damaged_and_foreign_files_are_refused(gan_file, tmp_path):
    with pytest.raises(SimulatorError, match="no exported simulator"):
        Runtime.load(tmp_path / "none.onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(gan_file.read_bytes()[:2000])
    with pytest.raises(SimulatorError, match="cannot load it"):
        Runtime.load(damaged)
    model = onnx.load(gan_file)
    facts = {entry.key: entry for entry in model.metadata_props}
    facts[KEY].value = json.dumps({"format_version": 99})
    model.metadata_props.remove(facts["seal"])
    onnx.save(model, damaged)
    with pytest.raises(SimulatorError, match="format 99, this version reads 1"):
        Runtime.load(damaged)
    del model.metadata_props[:]
    onnx.save(model, damaged)
    with pytest.raises(SimulatorError, match="not one of simulacra export"):
        Runtime.load(damaged)


def _edited(path, copy, edit):
    """Write a file that somebody has changed, with the digest that belongs to it."""
    model = onnx.load(path)
    edit(model)
    next(each for each in model.metadata_props if each.key == "seal").value = PLACEHOLDER
    copy.write_bytes(seal(model.SerializeToString()))
    return copy


def _before_the_output(*nodes, **constants):
    """Return an edit: nodes from ``of``, the file's own response, to ``added``, a summand of it."""

    def edit(model):
        graph = model.graph
        for node in graph.node:
            node.output[:] = ["of" if name == "showers" else name for name in node.output]
        for name, value in constants.items():
            graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value), name))
        made = [onnx.helper.make_node(*each[:3], **dict(each[3:])) for each in nodes]
        graph.node.extend([*made, onnx.helper.make_node("Add", ["of", "added"], ["showers"])])

    return edit


MANY = 10**9
TO_ONE = ("ReduceMax", ["huge"], ["added"], ("keepdims", 0))
HUGE = {
    "expand": _before_the_output(
        ("ReduceMax", ["of"], ["one"], ("keepdims", 0)), ("Expand", ["one", "n"], ["huge"]), TO_ONE,
        n=np.array([MANY]),
    ),
    "constant": _before_the_output(
        ("ConstantOfShape", ["n"], ["huge"]), TO_ONE, n=np.array([MANY])
    ),
    "tile": _before_the_output(
        ("Tile", ["short", "n"], ["huge"]), TO_ONE, short=np.zeros(1, np.float32), n=[MANY]
    ),
    "outer product": _before_the_output(
        ("MatMul", ["column", "row"], ["huge"]), TO_ONE,
        column=np.zeros((50_000, 1), np.float32), row=np.zeros((1, 50_000), np.float32),
    ),
    "doubled": _before_the_output(
        *(("Concat", [f"x{i}"] * 2, [f"x{i + 1}"], ("axis", 0)) for i in range(30)),
        ("ReduceMax", ["x30"], ["added"], ("keepdims", 0)), x0=np.zeros(1, np.float32),
    ),
}  # fmt: skip
"""Ways of a small file to ask for 4 GB and more."""
HOSTILE = """
import sys
from simulacra.errors import SimulatorError
from simulacra.files.memory import peak_memory_mb
from simulacra.runtime import Runtime
photon = {"energy": 2000.0, "impact_eta": 3.0, "impact_phi": -8.0,
          "alignment_eta": 1, "alignment_phi": 2}
for path in sys.argv[1:]:
    try:
        Runtime.load(path).generate(photon, seed=1)
    except SimulatorError as error:
        print(error)
print(peak_memory_mb())
"""


def test_a_file_that_claims_too_much_memory_is_refused_before_it_is_taken(gan_file, tmp_path):
    """At loading, where constants would be computed, as in each event."""
    files = [_edited(gan_file, tmp_path / f"{name}.onnx", edit) for name, edit in HUGE.items()]
    command = [sys.executable, "-c", HOSTILE, *map(str, files)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    *errors, peak = run.stdout.splitlines()
    assert len(errors) == len(files)
    assert all("needs more than 2.15 GB for 1 events" in error for error in errors)
    assert float(peak) < 2500


def test_large_blocks_are_halved_until_they_fit(runtime, many, monkeypatch):
    """The events stay those of whole blocks, up to rounding."""
    whole = runtime.generate(many, 3)["showers"]
    run, sizes = Runtime.run, []

    def of_few(self, conditions, noise):
        sizes.append(len(conditions))
        if len(conditions) > 20:
            raise NeedsMemoryError
        return run(self, conditions, noise)

    monkeypatch.setattr(Runtime, "run", of_few)
    few = runtime.generate(many, 3)["showers"]
    assert sizes == [64, 32, 16, 16, 16, 16]
    np.testing.assert_allclose(few, whole, rtol=1e-5, atol=1e-6)
    assert runtime.generate(PHOTON | {"energy": []}, 1)["showers"].shape == (0, 266)


def _loop(model):
    body = onnx.helper.make_graph([], "body", [], [])
    node = onnx.helper.make_node("Loop", ["", ""], ["never"], body=body)
    model.graph.node.append(node)


def _function(model):
    node = onnx.helper.make_node("Add", ["a", "a"], ["b"])
    opset = onnx.helper.make_opsetid("", 18)
    model.functions.append(onnx.helper.make_function("own", "f", ["a"], ["b"], [node], [opset]))


def _sparse(model):
    values = onnx.helper.make_tensor("sparse", onnx.TensorProto.FLOAT, [1], [1.0])
    places = onnx.helper.make_tensor("places", onnx.TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(onnx.helper.make_sparse_tensor(values, places, [MANY]))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_loop, "operator 'Loop' is none that"),
        (
            _before_the_output(("RandomNormalLike", ["of"], ["added"])),
            "operator 'RandomNormalLike'",
        ),
        (
            _before_the_output(("Gelu", ["of"], ["added"], ("domain", "com.microsoft"))),
            "operator 'Gelu'",
        ),
        (
            _before_the_output(("Sqrt", ["of"], ["added"], ("domain", "com.microsoft"))),
            "operators of 'com.microsoft'",
        ),
        (_function, "functions of its own"),
        (_sparse, "sparse tensors"),
    ],
)
def test_operators_that_no_export_has_are_refused(edit, message, gan_file, tmp_path):
    with pytest.raises(SimulatorError, match=message):
        Runtime.load(_edited(gan_file, tmp_path / "hostile.onnx", edit))


def test_operators_are_found_however_a_node_is_written():
    """Long names, numbers of more bytes than they need, a graph in two pieces."""

    def field(number, value):
        return bytes([number << 3 | 2]) + onnx_size(len(value)) + value

    def onnx_size(size):
        return bytes([size & 0x7F | 0x80, size >> 7])

    plain = field(1, b"x") + field(4, b"Add")
    hidden = field(1, b"y" * 300) + field(4, b"Add") + bytes([0x38, 0x01, 4 << 3 | 2 | 0x80, 0])
    model = (
        field(7, field(1, plain)) + bytes([0x08, 0x08]) + field(7, field(1, hidden + b"\x04Loop"))
    )
    require_known_operators(field(7, field(1, plain)))
    with pytest.raises(SimulatorError, match="operator 'Loop'"):
        require_known_operators(model)
    for cut in (1, 4, 6):
        with pytest.raises(SimulatorError, match="not a whole ONNX file"):
            require_known_operators(model[:-cut])


def test_weights_in_another_file_are_not_read(gan_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = onnx.load(gan_file)
    model.metadata_props.remove(next(e for e in model.metadata_props if e.key == "seal"))
    onnx.save(
        model, "out.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    with pytest.raises(SimulatorError, match="weights lie in another file"):
        Runtime.load("out.onnx")


def test_contract_survives_the_file_and_damage_is_told(runtime):
    contract = runtime.contract
    assert Contract.from_json(contract.to_json()) == contract
    for damage in ("{", "[]", '{"format_version": 1}'):
        with pytest.raises(SimulatorError, match="damaged"):
            Contract.from_json(damage)


def test_without_onnxruntime_the_extra_is_named(gan_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r"simulacra\[runtime\]"):
        Runtime.load(gan_file)


ALONE = """
import json, os, sys, time
import onnxruntime  # which has an idle thread of its own
from simulacra.runtime import Runtime
threads = lambda: len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else None
before = threads()
runtime = Runtime.load(sys.argv[1], threads=int(sys.argv[3]))
photon = json.loads(sys.argv[2])
runtime.generate(photon, seed=1)
seconds = time.process_time()
runtime.generate(photon | {"energy": [2000.0] * 5000}, seed=1)
after = threads()
from simulacra.files.memory import peak_memory_mb
loaded = sorted({name.partition(".")[0] for name in sys.modules})
more = None if before is None else after - before
found = {"seconds": seconds, "memory": peak_memory_mb(), "loaded": loaded, "more threads": more}
print(json.dumps(found))
"""


def alone(file, threads=1):
    """What a process of its own finds that generates events from a file."""
    command = [sys.executable, "-c", ALONE, str(file), json.dumps(PHOTON), str(threads)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", ["gan_file", "photons_file"])
def test_runs_alone_fast_and_small(name, request):
    """No torch, no pydantic, the first event within 1 s of processor time, < 300 MB."""
    file = request.getfixturevalue(name)
    runs = [alone(file) for _ in range(2)]
    heavy = {"torch", "pydantic", "yaml", "h5py", "scipy", "matplotlib", "onnx", "safetensors"}
    assert not heavy & set(runs[0]["loaded"])
    assert {"simulacra", "numpy", "onnxruntime"} <= set(runs[0]["loaded"])
    assert min(run["seconds"] for run in runs) < 1  # from the interpreter's start on
    assert max(run["memory"] for run in runs) < 300


@pytest.mark.parametrize("threads", [1, 3])
def test_works_with_as_many_threads_as_it_is_told(threads, gan_file):
    """One is the caller's own, all others ONNX Runtime's."""
    more = alone(gan_file, threads)["more threads"]
    if more is None:
        pytest.skip("this system does not list the threads of a process")
    assert more == threads - 1
