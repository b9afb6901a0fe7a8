// Showers from an LWTNN file of `simulacra export --to lwtnn`, one a line, cells in MeV.
//
//   lwtnn_showers FILE.json ENERGY_MEV [NUMBER [SEED]]   photons at the centre of the middle cell
//   lwtnn_showers FILE.json -                            inputs from stdin, one event a line, in the
//                                                        file's order; cells as it gives them
#include "lwtnn_graph.hpp"

#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>

using lwtnn_graph::Graph;
using lwtnn_graph::Inputs;
using lwtnn_graph::Vector;

namespace {

Graph load(const char *path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return Graph(Json::parse(text));
}

void print(const Vector &cells, double factor) {
  for (double cell : cells) std::printf("%.9g ", cell * factor);
  std::printf("\n");
}

void answer_stdin(const Graph &graph) {
  const auto wanted = graph.wanted();
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream numbers(line);
    Inputs inputs;
    for (const auto &[node, variables] : wanted)
      for (const std::string &variable : variables) numbers >> inputs[node][variable];
    if (!numbers) throw std::runtime_error("a line of stdin has too few numbers");
    print(graph.compute(inputs), 1);
  }
}

// What ATLAS's DNNCaloSimSvc hands over for a photon of this energy that hits the centre of a middle
// cell: the first in its strip, and the one at lower eta in its back cell.
Inputs atlas_photon(double energy) {
  Inputs inputs;
  inputs["E_true"]["0"] = (std::log(energy) - 9.70406053) / 1.76099569;
  inputs["ripos"] = {{"0", (0 - 3.47603256e-05) / 0.00722316},
                     {"1", (0 + 5.42153684e-05) / 0.00708241}};
  inputs["econfig"] = {{"0", 0}, {"1", 1}};
  inputs["pconfig"] = {{"0", 1}, {"1", 0}, {"2", 0}, {"3", 0}};
  return inputs;
}

void shoot_photons(const Graph &graph, double energy, int number, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  Inputs inputs = atlas_photon(energy);
  for (const auto &[node, variables] : graph.wanted()) {
    if (node != "Z" && inputs.count(node) == 0)
      throw std::runtime_error("the file asks for " + node + ": give its inputs on stdin");
    if (node == "Z")
      for (const std::string &variable : variables) inputs["Z"][variable] = 0;
  }
  const std::clock_t start = std::clock();
  for (int i = 0; i < number; ++i) {
    for (auto &noise : inputs["Z"]) noise.second = normal(engine);
    print(graph.compute(inputs), energy);
  }
  const double ms = 1e3 * double(std::clock() - start) / CLOCKS_PER_SEC;
  std::fprintf(stderr, "%.3f ms of CPU time a shower\n", ms / number);
}

}  // namespace

int main(int argc, char **argv) {
  try {
    if (argc < 3) throw std::runtime_error("usage: lwtnn_showers FILE.json (ENERGY_MEV [NUMBER [SEED]] | -)");
    const Graph graph = load(argv[1]);
    if (std::string(argv[2]) == "-") answer_stdin(graph);
    else
      shoot_photons(graph, std::stod(argv[2]), argc > 3 ? std::stoi(argv[3]) : 1,
                    argc > 4 ? static_cast<unsigned>(std::stoul(argv[4])) : 1);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
}
