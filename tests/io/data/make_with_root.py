"""Write the files of this folder, with ROOT itself: `pip install --pre root`, then run this.

Vectors and split objects are what uproot reads but does not write.
"""

HEADER = """
#include <vector>
struct Vector3 { float x, y, z; };
struct Hit { unsigned long long cellID; float energy; Vector3 position; };
struct Particle { int PDG; int generatorStatus; double mass; Vector3 momentum; };
struct Gun { int pdg; float e; };
"""
CLASSES = "Vector3;Hit;Particle;vector<Hit>;vector<Particle>"
HITS = (3, 1, 2, 0)
"""How many hits the events have."""


def write_vectors(root, array):
    """Four events in two cycles of a tree: vectors, leaves, arrays of two kinds."""
    file = root.TFile("vectors.root", "RECREATE", "", 209)
    tree = root.TTree("events", "showers")
    energies, ids, energy = (root.std.vector(kind)() for kind in ("float", "int", "double"))
    gun, count = root.Gun(), array.array("i", [0])
    list_, cells = array.array("f", [0] * 10), array.array("d", [0] * 60)
    tree.Branch("energy", energy)
    tree.Branch("cell_energy", energies)
    tree.Branch("cell_id", ids)
    tree.Branch("gun", root.addressof(gun), "pdg/I:e/F")
    tree.Branch("nhit", count, "nhit/I")
    tree.Branch("edep", list_, "edep[nhit]/F")
    tree.Branch("cells16", cells, "cells16[60]/d")
    for event in range(4):
        for vector in (energies, ids, energy):
            vector.clear()
        energy.push_back(20_000.0 * (event + 1))
        count[0], gun.pdg, gun.e = event, 11, 20.0 * (event + 1)
        for cell in range(60):
            cells[cell] = 0
        for hit in range(event):
            energies.push_back(5000.0 * (hit + 1))
            ids.push_back(7 * hit)
            list_[hit], cells[7 * hit] = 5 * (hit + 1), 5000.0 * (hit + 1)
        tree.Fill()
        if event == 1:
            tree.AutoSave()
    tree.Write()
    file.Close()


def fill(root, hits, particles, count):
    """Put hits of 2 GeV and an electron of 10 GeV/c into two vectors."""
    hits.clear()
    particles.clear()
    for n in range(count):
        hit = root.Hit()
        hit.cellID, hit.energy = 2**63 + 5 * n, 2.0
        hit.position.x, hit.position.y, hit.position.z = -2.5, 5.0, 10.5 + 11 * n
        hits.push_back(hit)
    for pdg, status, mass, x, z in ((22, 0, 0, 0, 1), (11, 1, 0.000510999, 6, 8)):
        particle = root.Particle()
        particle.PDG, particle.generatorStatus, particle.mass = pdg, status, mass
        particle.momentum.x, particle.momentum.z = x, z
        particles.push_back(particle)


def write_edm4hep(root):
    """Four events as podio writes them, as a TTree and as an RNTuple."""
    file = root.TFile("edm4hep.root", "RECREATE", "", 209)
    tree = root.TTree("events", "events data tree")
    hits, particles = root.std.vector("Hit")(), root.std.vector("Particle")()
    tree.Branch("ECalBarrel", hits)
    tree.Branch("MCParticles", particles)
    for count in HITS:
        fill(root, hits, particles, count)
        tree.Fill()
    tree.Write()
    file.Close()
    model = root.RNTupleModel.Create()
    model.MakeField["std::vector<Hit>"]("ECalBarrel")
    model.MakeField["std::vector<Particle>"]("MCParticles")
    writer = root.RNTupleWriter.Recreate(model, "events", "edm4hep-rntuple.root")
    entry = writer.CreateEntry()
    for count in HITS:
        fill(root, entry["ECalBarrel"], entry["MCParticles"], count)
        writer.Fill(entry)


if __name__ == "__main__":
    import array
    from pathlib import Path

    import ROOT

    Path("classes.h").write_text(HEADER, encoding="utf-8")
    ROOT.gInterpreter.Declare('#include "classes.h"')
    ROOT.gInterpreter.GenerateDictionary(CLASSES, "classes.h;vector")
    write_vectors(ROOT, array)
    write_edm4hep(ROOT)
