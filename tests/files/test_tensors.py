"""Tensors in files: equal content gives equal bytes, and facts come back as they were."""

import torch
from safetensors.torch import save_file

from simulacra.files.tensors import read_tensors, write_tensors

TENSORS = {"b": torch.arange(3.0), "a": torch.ones(2, 2)}
FACTS = {"identity": "x", "history": [{"step": 1.0}]}


def test_equal_content_gives_equal_bytes(tmp_path):
    written = set()
    for _ in range(20):  # an order that is drawn would be another one in half of them
        write_tensors(tmp_path / "t.safetensors", TENSORS, FACTS)
        written.add((tmp_path / "t.safetensors").read_bytes())
    assert len(written) == 1


def test_facts_come_back_as_they_were(tmp_path):
    write_tensors(tmp_path / "t.safetensors", TENSORS, FACTS)
    tensors, facts = read_tensors(tmp_path / "t.safetensors")
    assert facts == FACTS
    assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())


def test_files_without_a_digest_are_read(tmp_path):
    save_file(TENSORS, tmp_path / "t.safetensors", {"facts": '{"identity": "x"}'})
    assert read_tensors(tmp_path / "t.safetensors")[1] == {"identity": "x"}
