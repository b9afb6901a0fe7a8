"""Good inputs to damage: for each a folder of files, the command that reads them, and the ways."""

import csv
import json
import runpy
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import yaml

from simulacra.deploy import export
from simulacra.deploy.lwtnn_reader import Graph
from simulacra.detectors import load_detector
from simulacra.engines import Parts
from simulacra.errors import SimulacraError
from simulacra.files.digests import PLACEHOLDER, seal
from simulacra.files.simulator_files import NEEDED
from simulacra.hybrid import simulate_hybrid
from simulacra.io import write_events
from simulacra.runtime.contract import KEY
from simulacra.simulators.trained import train
from tests.conftest import SMALL_MODELS, random_events, random_tracks
from tests.hybrid.conftest import PretendedGeant4, card
from tests.io.test_foreign import WRITABLE, clic_images, cube, plain, showers_like
from tests.robustness import damage

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
CUBE = HERE.parent / "small-cube.yaml"
OUTPUT = "out.h5"
RUN = ("--set", "training.steps=4", "--set", "selection.every=2")
"""What keeps a training short, whatever its card says."""


@dataclass(frozen=True)
class Target:
    """An input that is damaged.

    Attributes:
        group: the row of the table.
        folder: its files; each case works in a copy.
        damaged: which of them may be damaged.
        way: how: a function of a file and a random generator, which returns the kind of damage.
        command: what reads it: words of the command line, or a function.
        output: what the command writes; None where it only prints.
        protected: whether a digest lies over all of it: it is refused, or means the same.
        carried: files that may be left: work to go on with.
    """

    group: str
    folder: Path
    damaged: tuple[str, ...]
    way: object
    command: object
    output: str | None = None
    protected: bool = False
    carried: tuple[str, ...] = ()


# --- ways ----------------------------------------------------------------------------------------


def some_bytes(path, rng):
    content, kind = damage.of_bytes(path.read_bytes(), rng)
    path.write_bytes(content)
    return f"bytes: {kind}"


def some_text(path, rng):
    content, kind = damage.of_text(path.read_bytes(), rng)
    path.write_bytes(content)
    return f"text: {kind}"


def in_yaml(path, rng):
    tree, kind = damage.of_tree(yaml.safe_load(path.read_text()), rng)
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return f"structure: {kind}"


def in_json(path, rng):
    tree, kind = damage.of_tree(json.loads(path.read_text()), rng)
    path.write_bytes(damage.as_json(tree))
    return f"structure: {kind}"


def in_hdf5(path, rng):
    return f"structure: {damage.of_hdf5(path, rng)}"


def sealed_json(path, rng):
    """A hostile hand computes the digest again."""
    about = json.loads(path.read_text())
    about["seal"] = PLACEHOLDER
    tree, kind = damage.of_tree(about, rng)
    content = damage.as_json(tree)
    path.write_bytes(seal(content) if PLACEHOLDER.encode() in content else content)
    return f"structure, sealed again: {kind}"


def sealed_contract(path, rng):
    """The same for what an exported file says of itself."""
    import onnx

    model = onnx.load(path)
    entry = next(each for each in model.metadata_props if each.key == KEY)
    tree, kind = damage.of_tree(json.loads(entry.value), rng)
    entry.value = damage.as_json(tree).decode(errors="replace")
    for each in model.metadata_props:
        if each.value.startswith("sha256-of-this-file:"):
            each.value = PLACEHOLDER
    content = model.SerializeToString()
    path.write_bytes(seal(content) if PLACEHOLDER.encode() in content else content)
    return f"structure, sealed again: {kind}"


# --- inputs --------------------------------------------------------------------------------------


def targets(home):
    """Make the good inputs below a folder and return what can be done to them."""
    made = []
    for make in (
        detectors, cards, native, tracks, simulators, exported, checkpoints, foreign, mapped,
        hybrid, graphs,
    ):  # fmt: skip
        folder = home / make.__name__
        folder.mkdir()
        made += make(folder)
    return made


def _several(group, folder, name, ways, command, **more):
    """Return a target for each way; ``protects`` names ways that a digest or checksums see."""
    protects = more.pop("protects", ())
    return [
        Target(group, folder, (name,), way, command, protected=way in protects, **more)
        for way in ways
    ]


TEXT = (some_text, in_yaml, some_bytes)
JSON = (some_text, in_json, some_bytes)


def detectors(folder):
    (folder / "d.yaml").write_text(CUBE.read_text())
    (folder / "t.yaml").write_text(load_detector("alice-tpc").to_yaml())
    (folder / "b.yaml").write_text(load_detector("atlas-barrel").to_yaml())
    return [
        *_several("detector YAML", folder, "d.yaml", TEXT, ("detectors", "show", "d.yaml")),
        *_several("detector YAML", folder, "t.yaml", TEXT, ("info", "t.yaml")),
        *_several("detector YAML", folder, "b.yaml", TEXT, ("detectors", "show", "b.yaml")),
    ]


def _small_sample(folder):
    write_events(random_events(load_detector(CUBE), 64, 1), folder / "train.h5")
    write_events(random_events(load_detector(CUBE), 32, 2), folder / "selection.h5")
    (folder / "d.yaml").write_text(CUBE.read_text())
    content = {
        "detector": "d.yaml",
        "data": {"train": "train.h5", "selection": "selection.h5"},
        "model": SMALL_MODELS["dnncalogan"],
        "training": {"steps": 4, "batch_size": 8, "critic_updates": 2},
        "selection": {"every": 2, "repeat": 1},
        "seed": 5,
    }
    (folder / "card.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def cards(folder):
    _small_sample(folder)
    (folder / "limits.yaml").write_text((EXAMPLES / "thresholds.yaml").read_text())
    command = ("train", "card.yaml", "-o", "s", *RUN)
    judged = ("validate", "train.h5", "selection.h5", "--thresholds", "limits.yaml", "-o", "r")
    train_card = _several("run card", folder, "card.yaml", TEXT, command, output="s")
    return train_card + _several("thresholds", folder, "limits.yaml", TEXT, judged, output="r")


def native(folder):
    write_events(random_events(load_detector(CUBE), 24, 1), folder / "e.h5")
    commands = (
        (("convert", "e.h5", OUTPUT), OUTPUT),
        (("convert", "e.h5", OUTPUT, "--rows", "3:9"), OUTPUT),
        (("info", "e.h5"), None),
    )
    return [
        target for command, output in commands for target in _native(folder, command, output=output)
    ]


def _native(folder, command, **more):
    """Our own events: checksums lie over their bytes, but who changes a number means it."""
    ways = (some_bytes, in_hdf5)
    protects = (some_bytes,)
    return _several("events HDF5", folder, "e.h5", ways, command, protects=protects, **more)


def tracks(folder):
    write_events(random_tracks(load_detector("alice-tpc"), 8), folder / "e.h5")
    return _native(folder, ("convert", "e.h5", OUTPUT), output=OUTPUT)


GENERATE = ("--energy", "2GeV", "-n", "20", "-o", OUTPUT)


def simulators(folder):
    work = folder.with_name("work")
    work.mkdir()
    simulator = trained(work)
    simulator.save(folder / "s")
    (folder / "s" / "README").write_text("a user's own\n")
    command = ("generate", "s", *GENERATE)
    files = tuple(f"s/{name}" for name in NEEDED)
    bytes_of = Target("simulator", folder, files, some_bytes, command, OUTPUT, protected=True)
    about = ("s/simulator.json",)
    return [
        *(3 * [bytes_of]),
        Target("simulator", folder, about, some_text, command, OUTPUT, protected=True),
        Target("simulator", folder, about, sealed_json, command, OUTPUT),
        Target("simulator", folder, about, sealed_json, ("info", "s")),
    ]


def trained(work):
    """Train in a folder as the command does."""
    from simulacra.training.card import Card

    _small_sample(work)
    content = yaml.safe_load((work / "card.yaml").read_text())
    content["detector"] = str(work / "d.yaml")
    content["data"] = {name: str(work / f"{name}.h5") for name in ("train", "selection")}
    return train(Card.model_validate(content), work / "s")


def many_events(path):
    """Write events whose reading and writing take a moment."""
    write_events(random_events(load_detector(CUBE), 40_000, 3), path)


def exported(folder):
    from simulacra.simulators.trained import TrainedSimulator

    export(TrainedSimulator.load(folder.with_name("simulators") / "s"), "onnx", folder / "e.onnx")
    command = ("generate", "e.onnx", *GENERATE)
    one = Target("exported ONNX", folder, ("e.onnx",), some_bytes, command, OUTPUT, protected=True)
    sealed = Target("exported ONNX", folder, ("e.onnx",), sealed_contract, command, OUTPUT)
    return [one, one, sealed]


def checkpoints(folder):
    """A training that was stopped after its second step."""
    from simulacra.training.card import Card

    class Stopped(Exception):
        pass

    def stop(_phase, step, _total):
        if step == 3:
            raise Stopped

    _small_sample(folder)
    loaded = Card.load(folder / "card.yaml")
    from contextlib import chdir, suppress

    with chdir(folder), suppress(Stopped):
        train(loaded, "s", stop)
    damaged = ("s.part/checkpoint.safetensors", "s.part/metrics.csv")
    one = Target(
        "checkpoint", folder, damaged, some_bytes, ("train", "card.yaml", "-o", "s"), "s",
        protected=True, carried=("s.part",),
    )  # fmt: skip
    return [one, one]


def foreign(folder):
    found = []
    for name, (detector, ending) in WRITABLE.items():
        path = folder / f"{name}{ending}"
        events = showers_like(load_detector(detector), n=6)
        write_events(events, path, name)
        command = ("convert", path.name, OUTPUT, "--detector", detector)
        ways = (some_bytes, some_bytes) if name == "root" else (some_bytes, in_hdf5)
        group = "ROOT" if name == "root" else "others' HDF5"
        found += _several(group, folder, path.name, ways, command, output=OUTPUT)
    plain(folder / "c.h5", **cube(clic_images()))
    command = ("convert", "c.h5", OUTPUT, "--detector", "clic-ecal")
    return found + _several(
        "others' HDF5", folder, "c.h5", (some_bytes, in_hdf5), command, output=OUTPUT
    )


def mapped(folder):
    from contextlib import chdir

    example = EXAMPLES / "foreign-root"
    toy = runpy.run_path(str(example / "make_files.py"))
    with chdir(folder):
        toy["write_hits"](Path("hits.root"), 30, 1)
        toy["write_two_trees"](Path("two.root"), 30, 3)
        toy["write_cells"](Path("cells.csv"))
        Path("d.yaml").write_text((example / "detector.yaml").read_text())
    shared = ("--cells", "cells.csv", "--origin", "0,0,-192mm", "--detector", "d.yaml")
    hits = (
        "convert", "hits.root", OUTPUT, "--map", "event=event", "--map", "energy=Ebeam:GeV",
        "--map", "cell_id=cellID", "--map", "cell_energy=edep:GeV", *shared,
    )  # fmt: skip
    two = (
        "convert", "two.root", OUTPUT, "--tree", "hits", "--tree", "truth", "--map",
        "event=eventID", "--map", "energy=Ebeam:GeV", "--map", "cell_id=cellID", "--map",
        "cell_energy=edep:MeV", *shared,
    )  # fmt: skip
    return [
        *_several("ROOT", folder, "hits.root", (some_bytes,), hits, output=OUTPUT),
        *_several("ROOT", folder, "two.root", (some_bytes,), two, output=OUTPUT),
        *_several(
            "CSV of cells", folder, "cells.csv", (some_text, some_bytes), hits, output=OUTPUT
        ),
    ]


def hybrid(folder):
    content = card(events=12).model_dump(mode="json")
    (folder / "card.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    read = folder / "read"
    read.mkdir()
    simulate_hybrid(card(events=12), read / "e.h5", executor=PretendedGeant4())
    resumed = folder / "resumed"
    resumed.mkdir()
    (resumed / "card.yaml").write_text((folder / "card.yaml").read_text())
    chunks = _unfinished(resumed)
    command = ("hybrid", "card.yaml", "-o", OUTPUT)
    return [
        *_several("hybrid card", folder, "card.yaml", TEXT, command, output=OUTPUT),
        *_native(read, ("convert", "e.h5", OUTPUT), output=OUTPUT),
        Target(
            "finished chunks", resumed, chunks, some_bytes, command, OUTPUT, protected=True,
            carried=(f"{OUTPUT}.parts",),
        ),
    ]  # fmt: skip


def _unfinished(folder):
    """Leave the finished chunks of a run whose end was not reached; return their names."""
    from unittest.mock import patch

    class Stopped(Exception):
        pass

    from contextlib import chdir, suppress

    with chdir(folder), suppress(Stopped), patch.object(Parts, "remove", side_effect=Stopped):
        simulate_hybrid(card(events=12), Path(OUTPUT), executor=PretendedGeant4())
    (folder / OUTPUT).unlink()
    return tuple(
        str(path.relative_to(folder)) for path in folder.glob(f"{OUTPUT}.parts/chunk-*.h5")
    )


def graphs(folder):
    from tests.deploy.untrained import untrained

    export(untrained("wgan"), "lwtnn", folder / "g.json")
    given = json.loads((folder / "g.json").read_text())["inputs"]
    one = {
        entry["name"]: {variable["name"]: [0.5] for variable in entry["variables"]}
        for entry in given
    }

    def answer():
        """Read the file as the check of an export does, and print what it answers."""
        import sys

        try:
            found = Graph(json.loads(Path("g.json").read_text())).compute(one)
        except (SimulacraError, ValueError, RecursionError) as error:  # the latter two: no JSON
            sys.stderr.write(f"error: {' '.join(str(error).split())[:200]}\n")
            return 2
        print(*(float(value[0]) for value in found.values()))  # noqa: T201
        return 0

    return _several("LWTNN JSON", folder, "g.json", JSON, answer)


def equal(one, other):
    """Return whether two outputs hold the same: bytes, or the numbers of HDF5; times may differ."""
    if one.is_dir():
        names = {path.name for path in one.iterdir()}
        if names != {path.name for path in other.iterdir()}:
            return False
        return all(_same(one / name, other / name) for name in names)
    return _same(one, other)


def _same(one, other):
    if one.read_bytes() == other.read_bytes():
        return True
    if one.name in _WITHOUT_TIMES:
        first, second = map(_WITHOUT_TIMES[one.name], (one, other))
        return first == second
    if one.suffix not in (".h5", ".hdf5"):
        return False
    with h5py.File(one) as first, h5py.File(other) as second:
        return _content(first) == _content(second)


def _content(file):
    found = {"": sorted((key, str(value)) for key, value in file.attrs.items())}

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            array = item[()]
            found[name] = (array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())

    file.visititems(add)
    return found


def _about(path):
    """Return what a simulator says of itself, without the digest of a table that has times."""
    about = json.loads(path.read_text())
    del about["sha256"]["metrics.csv"], about["seal"]
    return about


def _evaluations(path):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        {k: v for k, v in row.items() if not k.endswith(("seconds", "_second"))} for row in rows
    ]


def _for_people(_):
    """Return nothing: what no program reads may differ in its times."""


_WITHOUT_TIMES = {
    "simulator.json": _about,
    "metrics.csv": _evaluations,
    "training.log": _for_people,
    "learning-curve.png": _for_people,
}
