"""Damage to files and options: of bytes, of texts, of what HDF5 holds, of trees of values."""

import copy
import json

import h5py
import numpy as np

HEADER = 8192
"""Bytes at the beginning of a file, where most of its structure is told."""
HUGE = "9" * 5000
ODD_VALUES = (
    None, True, False, 0, -1, 1, 2, 10**12, 10**400, -(10**12), 0.5, -0.0, 1e-320, 1e300, 1e400,
    float("nan"), float("inf"), -float("inf"), "", " ", "nan", "inf", "-1", "1e400", "gamma",
    "../..", "/etc/passwd", "\x00", "\x1b[31mred\x1b[0m", "\u202e", "A" * 100_000, HUGE, [],
    [None], [1, 2], [[[]]], [float("nan")], list(range(1000)), {}, {"a": 1}, {"": {}}, "1 GeV",
    "1e9 m", "0 mm", "1 parsec", "0x10", "2020-13-45", "1_000", "é", "{}", "[1", "*.h5",
    "sample:test", "-o",
)  # fmt: skip
"""What stands in the place of a value."""
ODD_TEXTS = (
    "nan", ".nan", ".inf", "-.inf", "-1", "0", "1e400", "-0.0", "1e-320", HUGE, "null", "~", "[]",
    "{}", "''", "'x'", "true", "2020-13-45", "2020-02-30", "0x10", "0b2", "1_000", "190:20:30",
    ".5.5", "*a", "&a [*a]", "!!python/object/apply:os.system ['true']",
    "!!python/name:os.system", "!!binary x", "!!set {a}", "!!timestamp x", "!!int x", "!!float x",
    "? [a]", "<<: x", "%", "@", "`", "|", ">", "-", "[" * 3000 + "]" * 3000,
    "{a: " * 3000 + "}" * 3000, "A" * 200_000, "\x1b[31m", "\x00", "\x85", "\ufeff", "\ud7ff",
    "1 GeV", "-1 mm", "1e30 mm", "0 mm", "1 mm 2", "mm", "1 parsec",
)  # fmt: skip
"""What stands in the place of a word of a text."""
ODD_OPTIONS = (
    "", " ", "0", "-1", "-0", "1e3", "nan", "inf", "-inf", "1e400", HUGE, "9" * 18, str(2**63),
    "0x10", "1.5", "true", "None", "..", "/", "/etc/passwd", "/dev/null", "/proc/self/mem",
    "no/such/file", "\x1b[31m", "\u202e", "é", "\udcff", "*", "[", "{", "%s%n", "a,b", ",", ",,",
    ":", "::", "1:", ":1", "5:1", "1GeV", "1GeV,", "1GeV..", "..1GeV", "1GeV..1GeV",
    "65GeV..1GeV", "1GeV-", "-1GeV", "0GeV", "nanGeV", "infGeV", "1e300GeV", "1e-300GeV",
    "1parsec", "1GeV,1parsec", "gamma", "gamma,gamma", "gamma:0", "gamma:-1", "gamma:nan",
    "e-:1e308,gamma:1e308", "22", "0" * 5000, "99999999999", "xyz", "A" * 5000, "80/20",
    "80/10/10", "0/100", "-1/101", "50/50/0", "1/1/1/1", "nan/1", "sample:test", "sample:",
    "sample:x:y", "hdf5", "root", "3dgan", "opt9", "FTFP_BERT", "0mm", "-1mm", "nanmm", "1e99m",
    "--help", "--debug", "--", "-", "model.latent=0", "training.steps=1e9", "training=1", "=",
    "a=b=c", "a.b.c=1", "rules=[]", "events=0", "events=1e99", "energy=x", "energy=E0:GeV",
    "cells=dep:MeV:x",
)  # fmt: skip
"""What stands in the place of an option's value."""


def pick(rng, items):
    """Return one of the items."""
    return items[int(rng.integers(len(items)))]


# --- bytes ---------------------------------------------------------------------------------------


def of_bytes(content, rng):
    """Return damaged content and the kind of the damage."""
    kinds = (_one_bit, _one_bit, _few_bytes, _zeros, _cut, _cut_out, _twice, _ones, _swapped, _junk)
    kind = pick(rng, kinds)
    return bytes(kind(bytearray(content), rng)), kind.__name__.strip("_")


def _place(content, rng):
    end = len(content) if rng.random() < 0.5 else min(HEADER, len(content))
    return int(rng.integers(max(end, 1)))


def _one_bit(content, rng):
    content[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return content


def _few_bytes(content, rng):
    for _ in range(int(rng.integers(2, 20))):
        content[_place(content, rng)] = int(rng.integers(256))
    return content


def _zeros(content, rng):
    start, size = _place(content, rng), int(rng.integers(1, 512))
    part = content[start : start + size]
    content[start : start + size] = bytes(len(part))
    return content


def _ones(content, rng):
    """Sizes that claim everything there is."""
    start, size = _place(content, rng), pick(rng, (2, 4, 8))
    part = content[start : start + size]
    content[start : start + size] = b"\xff" * len(part)
    return content


def _cut(content, rng):
    return content[: _place(content, rng)]


def _cut_out(content, rng):
    start = _place(content, rng)
    del content[start : start + int(rng.integers(1, 64))]
    return content


def _twice(content, rng):
    start, size = _place(content, rng), int(rng.integers(1, 256))
    content[start:start] = content[start : start + size]
    return content


def _swapped(content, rng):
    size = int(rng.integers(1, 64))
    one, other = sorted((_place(content, rng), _place(content, rng)))
    if one + size <= other and other + size <= len(content):
        first, second = content[one : one + size], content[other : other + size]
        content[one : one + size], content[other : other + size] = second, first
    return content


def _junk(content, rng):
    start, size = _place(content, rng), int(rng.integers(1, 64))
    content[start:start] = rng.bytes(size)
    return content


# --- texts ---------------------------------------------------------------------------------------


def of_text(content, rng):
    """Return a damaged text of words and lines, as bytes, and the kind of the damage."""
    kinds = (
        _word,
        _word,
        _word,
        _line_gone,
        _line_twice,
        _lines_swapped,
        _indented,
        _key,
        _odd_byte,
    )
    kind = pick(rng, kinds)
    return kind(content.decode(), rng), kind.__name__.strip("_")


def _word(text, rng):
    words = [w for w in text.replace(",", " ").replace("[", " ").replace("]", " ").split() if w]
    old, new = pick(rng, words), pick(rng, ODD_TEXTS)
    number = int(rng.integers(text.count(old)))
    start = -1
    for _ in range(number + 1):
        start = text.index(old, start + 1)
    return (text[:start] + new + text[start + len(old) :]).encode(errors="surrogatepass")


def _lines(text):
    return text.splitlines(keepends=True) or [""]


def _line_gone(text, rng):
    lines = _lines(text)
    del lines[int(rng.integers(len(lines)))]
    return "".join(lines).encode()


def _line_twice(text, rng):
    lines = _lines(text)
    number = int(rng.integers(len(lines)))
    return "".join([*lines[:number], lines[number], *lines[number:]]).encode()


def _lines_swapped(text, rng):
    lines = _lines(text)
    one, other = rng.integers(len(lines), size=2)
    lines[one], lines[other] = lines[other], lines[one]
    return "".join(lines).encode()


def _indented(text, rng):
    lines = _lines(text)
    number = int(rng.integers(len(lines)))
    lines[number] = pick(rng, (" ", "\t", "   - ", "? ", "\r")) + lines[number]
    return "".join(lines).encode()


def _key(text, rng):
    lines = _lines(text)
    keyed = [n for n, line in enumerate(lines) if ":" in line]
    if keyed:
        number = pick(rng, keyed)
        lines[number] = lines[number].replace(":", pick(rng, ("x:", " : ", "::", "")), 1)
    return "".join(lines).encode()


def _odd_byte(text, rng):
    content = text.encode()
    start = int(rng.integers(len(content) + 1))
    odd = pick(
        rng, (b"\xff", b"\x00", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x1b[2J", b"\x07")
    )
    return content[:start] + odd + content[start:]


# --- trees of values: what JSON and YAML hold ----------------------------------------------------


def of_tree(tree, rng):
    """Return a copy in which one value is odd, gone, renamed or doubled, and the kind of damage."""
    tree = copy.deepcopy(tree)
    places = list(_places(tree))
    holder, key = pick(rng, places)
    kind = pick(rng, ("odd", "odd", "odd", "gone", "renamed", "doubled", "number"))
    if kind == "gone":
        del holder[key]
    elif kind == "renamed" and isinstance(holder, dict):
        holder[pick(rng, ("", "zzz", f"{key} ", f"{key}\n"))] = holder.pop(key)
    elif kind == "doubled" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif kind == "number" and isinstance(holder[key], int | float):
        holder[key] = holder[key] * pick(rng, (-1, 0, 1000, 1e-9, 1e30))
    else:
        kind = "odd"
        holder[key] = pick(rng, ODD_VALUES)
    return tree, kind


def _places(tree):
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(items):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def as_json(tree):
    """Return the tree as JSON, numbers that are not finite as Python writes them."""
    return json.dumps(tree, indent=1).encode(errors="surrogatepass")


# --- HDF5 ----------------------------------------------------------------------------------------


def of_hdf5(path, rng):
    """Change one thing in a file in place; return the kind of the damage."""
    kinds = (*_OF_DATASETS, *_OF_DATASETS, *_OF_ATTRIBUTES, *_OF_FILES)
    kind = pick(rng, kinds)
    with h5py.File(path, "r+") as file:
        if kind in _OF_FILES:
            kind(file, rng)
        elif kind in _OF_DATASETS:
            names = []
            file.visititems(
                lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
            )
            kind(file, pick(rng, names), rng)
        else:
            holders = [file]
            file.visititems(lambda _, item: holders.append(item))
            holders = [holder for holder in holders if len(holder.attrs)]
            if holders:
                holder = pick(rng, holders)
                kind(holder.attrs, pick(rng, list(holder.attrs)), rng)
    return kind.__name__.strip("_")


def _replaced(file, name, array):
    attributes = dict(file[name].attrs)
    del file[name]
    file[name] = array
    file[name].attrs.update(attributes)


def _gone(file, name, rng):
    del file[name]


def _renamed(file, name, rng):
    file.move(name, pick(rng, (f"{name}x", f"deep/er/{name}", "conditions/zzz")))


def _retyped(file, name, rng):
    kinds = ("S8", "i1", "u8", "f2", ">f8", "c16", "bool", h5py.string_dtype(), "O")
    kind = pick(rng, kinds)
    array = file[name][()]
    if kind == "O":
        kind = h5py.vlen_dtype(np.float32)
        made = np.empty(len(array), object)
        made[:] = [np.atleast_1d(row).ravel()[:3] for row in array]
        del file[name]
        file.create_dataset(name, data=made, dtype=kind)
        return
    with np.errstate(all="ignore"):
        text = kind == "S8" or not isinstance(kind, str)
        _replaced(file, name, array.astype("S8") if text else array.astype(kind))


def _compound(file, name, rng):
    array = file[name][()]
    _replaced(file, name, np.zeros(len(array), [("a", "f4"), ("b", "i4")]))


def _reshaped(file, name, rng):
    array = file[name][()]
    shapes = (array[None], array[..., None], array.T, array.ravel(), array[:0], array[..., :0])
    _replaced(file, name, pick(rng, shapes))


def _scalar(file, name, rng):
    _replaced(file, name, np.float64(1))


def _fewer(file, name, rng):
    array = file[name][()]
    _replaced(file, name, array[: max(len(array) - 1, 0)])


def _odd_number(file, name, rng):
    array = file[name][()].astype(np.float64)
    if array.size:
        odd = (np.nan, np.inf, -np.inf, -1.0, 1e300, 1e38, 1e-320, 0.0, 2.0**53)
        places = rng.integers(array.size, size=int(rng.integers(1, 5)))
        array.ravel()[places] = pick(rng, odd)
    _replaced(file, name, array)


def _scaled(file, name, rng):
    _replaced(file, name, file[name][()] * np.float64(pick(rng, (1e-3, 1e3, 1e30, 0, -1))))


def _outside_link(file, name, rng):
    del file[name]
    target = pick(rng, ("/etc/passwd", "../other.h5", "none.h5", file.filename))
    file[name] = h5py.ExternalLink(target, f"/{name}")


def _soft_link(file, name, rng):
    del file[name]
    file[name] = h5py.SoftLink(pick(rng, (f"/{name}", "/none", "/")))


def _huge(file, name, rng):
    shape = file[name].shape
    del file[name]
    rows = int(pick(rng, (10**7, 10**10, 10**15)))
    file.create_dataset(name, (rows, *shape[1:]), "f4", chunks=(1, *shape[1:]))


def _external_storage(file, name, rng):
    shape = file[name].shape
    del file[name]
    outside = [(pick(rng, ("/etc/passwd", "none.bin", "e.h5")), 0, h5py.h5f.UNLIMITED)]
    file.create_dataset(name, shape, "f4", external=outside)


def _virtual(file, name, rng):
    shape = file[name].shape
    del file[name]
    layout = h5py.VirtualLayout(shape, "f4")
    source = pick(rng, ("/etc/passwd", "none.h5", ".", "../none.h5"))
    layout[...] = h5py.VirtualSource(source, name, shape)
    file.create_virtual_dataset(name, layout)


def _unwritten(file, name, rng):
    shape, kind = file[name].shape, file[name].dtype
    del file[name]
    file.create_dataset(name, shape, kind)


def _a_group(file, name, rng):
    del file[name]
    file.create_group(name)


def _attribute_gone(attributes, name, rng):
    del attributes[name]


def _attribute_odd(attributes, name, rng):
    odd = (
        0, -1, np.nan, 10**18, "", "[1, 2]", "null", "MeV", "parsec", "{}", "[" * 5000, np.zeros(3),
        np.zeros((2, 2)), h5py.Empty("f4"), "A" * 60_000, b"\xff\xfe", '{"step": [[]]}', "kind: x",
        '{"joined": 3}', '{"particle": {"a": 1}}', '{"particle": 1e400}', '{"seed": ' + HUGE + "}",
    )  # fmt: skip
    attributes[name] = pick(rng, odd)


def _attribute_text(attributes, name, rng):
    value = attributes[name]
    if isinstance(value, str) and value:
        attributes[name] = _word(value, rng).decode(errors="replace").replace("\x00", "")[:60_000]
    else:
        attributes[name] = "x"


def _attribute_compound(attributes, name, rng):
    attributes[name] = np.zeros(2, [("a", "f4"), ("b", "S3")])


def _deep_groups(file, rng):
    file.create_group("/".join("g" * 2000))


def _many_names(file, rng):
    group = file.create_group("many")
    for number in range(12_000):
        group[f"{number}"] = h5py.SoftLink("/none")


def _cycle(file, rng):
    file["loop"] = file["/"]


def _stranger(file, rng):
    file["conditions/zzz"] = np.zeros(5)
    file["event_weights"] = -np.ones(5)


def _newer(file, rng):
    file.attrs["format_version"] = pick(rng, (99, "1", np.ones(2), -1, np.nan))


def _other_format(file, rng):
    file.attrs["format"] = pick(rng, ("", "simulacra-hybrid", "x", np.zeros(2), b"\xff", 3))


def _energies_twice(file, rng):
    file["energy"] = np.arange(8.0)


_OF_DATASETS = (
    _gone, _renamed, _retyped, _compound, _reshaped, _scalar, _fewer, _odd_number, _odd_number,
    _scaled, _outside_link, _soft_link, _huge, _external_storage, _virtual, _unwritten, _a_group,
)  # fmt: skip
_OF_ATTRIBUTES = (
    _attribute_gone, _attribute_odd, _attribute_odd, _attribute_odd, _attribute_text,
    _attribute_text, _attribute_compound,
)  # fmt: skip
_OF_FILES = (
    _deep_groups, _many_names, _cycle, _stranger, _newer, _other_format, _energies_twice,
)  # fmt: skip
