"""Facts on graphs that LWTNN reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulacra.deploy.lwtnn_reader import Graph


def lwtnn_facts(path: Path) -> dict[str, Any]:
    """Return the facts on a graph that LWTNN reads, and on what made it, if that was us."""
    graph = Graph.load(path)
    inputs = {entry["name"]: len(entry["variables"]) for entry in graph.inputs}
    outputs = {name: len(output["labels"]) for name, output in graph.outputs.items()}
    about = {name: value for name, value in graph.about.items() if name != "seal"}
    return {"LWTNN graph": str(path), **about, "inputs of": inputs, "outputs of": outputs}
