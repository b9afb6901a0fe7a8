"""Options with odd values: the commands that are tried, and what of their words may be odd."""

from tests.robustness.damage import ODD_OPTIONS, pick

COMMANDS = {
    "generate": (
        ("generate", "s"),
        ("--energy", "2GeV"), ("-n", "20"), ("--seed", "1"), ("--particle", "gamma"), ("-o",
        "out.h5"),
    ),
    "generate like": (("generate", "s"), ("--like", "e.h5"), ("-n", "5"), ("-o", "out.h5")),
    "convert": (
        ("convert", "e.h5", "out.h5"),
        ("--rows", "2:9"), ("--unit", "MeV"), ("--split", "80/20"), ("--detector", "d.yaml"),
        ("--format", "hdf5"), ("--particle", "gamma"), ("--map", "energy=E"), ("--tree", "t"),
        ("--origin", "0,0,0mm"), ("--cells", "e.h5"), ("--seed", "3"),
    ),
    "train": (
        ("train", "card.yaml"),
        ("-o", "s2"), ("--set", "training.steps=2"), ("--set", "seed=3"), ("--set",
        "model.latent=4"),
    ),
    "validate": (
        ("validate", "e.h5", "e.h5"),
        ("-o", "r"), ("--baseline", "e.h5"), ("--detector", "d.yaml"), ("--empty-below", "1MeV"),
        ("--caloch-legacy", "2"), ("--thresholds", "card.yaml"), ("--profile", "none"),
    ),
    "export": (("export", "s"), ("--to", "onnx"), ("-o", "out.onnx")),
    "info": (("info", "e.h5"), ("--detector", "d.yaml")),
    "detectors": (("detectors", "draw", "d.yaml"), ("-o", "out.svg")),
    "models": (("models", "show", "wgan"),),
    "simulate": (
        ("simulate",),
        ("--detector", "d.yaml"), ("--energy", "2GeV"), ("-n", "3"), ("-o", "out.h5"),
        ("--particle", "gamma"), ("--seed", "1"), ("--physics", "opt0"), ("--cut", "1mm"),
        ("--workers", "1"),
    ),
    "hybrid": (
        ("hybrid", "card.yaml"),
        ("-o", "out.h5"), ("--set", "events=3"), ("--set", "rules=[]"), ("--workers", "1"),
    ),
    "benchmark": (
        ("benchmark", "s"),
        ("--reference", "e.h5"), ("-o", "b"), ("--batch", "1"), ("--seconds", "0.01"),
        ("--energy", "2GeV"), ("--profile", "none"),
    ),
    "quickstart": (
        ("quickstart",),
        ("-o", "q"), ("--report", "r"), ("--model", "x"), ("--set", "training.steps=0"),
    ),
}  # fmt: skip
"""Each: the first words, then options with values that are fine or nearly so."""


def odd_command(rng):
    """Return the words of a command in which one or two values are odd."""
    first, *options = COMMANDS[pick(rng, list(COMMANDS))]
    words = list(first)
    needed = [option for option in options if option[0] in ("-o", "--to", "--energy", "--detector")]
    others = [option for option in options if option not in needed and rng.random() < 0.3]
    for option in (*needed, *others):
        words += option
    for _ in range(int(rng.integers(1, 3))):
        place = int(rng.integers(1, len(words)))
        if words[place - 1] != "--set":
            words[place] = pick(rng, ODD_OPTIONS)
        else:
            key = words[place].partition("=")[0]
            words[place] = f"{key}={pick(rng, ODD_OPTIONS)}"
    return [word.replace("\x00", "") for word in words]
