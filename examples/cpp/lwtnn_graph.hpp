// LWTNN's graphs of dense layers, for where LWTNN itself is not at hand. With it, the same is
//   lwt::LightweightGraph graph(lwt::parse_json_graph(file));
//   auto cells = graph.compute({{"Z", …}, {"E_true", …}, …});
#pragma once

#include "json.hpp"

#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lwtnn_graph {

using Vector = std::vector<double>;
using Inputs = std::map<std::string, std::map<std::string, double>>;

// What the file asks for: nodes with their variables, in order.
using Wanted = std::vector<std::pair<std::string, std::vector<std::string>>>;

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

inline std::function<double(double)> activation(const Json &entry) {
  const std::string name = entry.is_object() ? entry["function"].string() : entry.string();
  const double alpha = entry.is_object() ? entry["alpha"].number() : std::nan("");
  if (name == "linear") return [](double x) { return x; };
  if (name == "rectified") return [](double x) { return x < 0 ? 0 : x; };
  if (name == "abs") return [](double x) { return std::abs(x); };
  if (name == "sigmoid") return sigmoid;
  if (name == "tanh") return [](double x) { return std::tanh(x); };
  if (std::isnan(alpha)) throw std::runtime_error("activation " + name + " needs its alpha");
  if (name == "swish") return [alpha](double x) { return x * sigmoid(alpha * x); };
  if (name == "elu") return [alpha](double x) { return x >= 0 ? x : alpha * std::expm1(x); };
  if (name == "leakyrelu") return [alpha](double x) { return x > 0 ? x : alpha * x; };
  throw std::runtime_error("unknown activation " + name);
}

// One layer: dense, an activation alone, or a normalization y = weight (x + bias).
class Layer {
public:
  explicit Layer(const Json &content)
      : weights_(content["weights"].numbers()), bias_(content["bias"].numbers()) {
    const std::string &kind = content["architecture"].string();
    if (kind == "dense") activation_ = activation(content["activation"]);
    else if (kind != "normalization") throw std::runtime_error("unknown layer " + kind);
  }

  Vector operator()(const Vector &x) const { return activation_ ? dense(x) : normalized(x); }

private:
  Vector dense(const Vector &x) const {
    Vector y = weights_.empty() ? x : product(x);
    if (!bias_.empty() && bias_.size() != y.size()) throw std::runtime_error("bias: wrong size");
    for (std::size_t i = 0; i < y.size(); ++i)
      y[i] = (*activation_)(bias_.empty() ? y[i] : y[i] + bias_[i]);
    return y;
  }

  Vector product(const Vector &x) const {
    if (weights_.size() % x.size() != 0) throw std::runtime_error("weights: wrong size");
    Vector y(weights_.size() / x.size());
    const double *row = weights_.data();
    for (double &sum : y) {
      double sums[4] = {0, 0, 0, 0};  // several sums at once, so that the compiler can use vectors
      std::size_t j = 0;
      for (; j + 4 <= x.size(); j += 4)
        for (std::size_t k = 0; k < 4; ++k) sums[k] += row[j + k] * x[j + k];
      for (; j < x.size(); ++j) sums[0] += row[j] * x[j];
      sum = sums[0] + sums[1] + sums[2] + sums[3];
      row += x.size();
    }
    return y;
  }

  Vector normalized(const Vector &x) const {
    if (weights_.size() != x.size() || bias_.size() != x.size())
      throw std::runtime_error("normalization: wrong size");
    Vector y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = weights_[i] * (x[i] + bias_[i]);
    return y;
  }

  Vector weights_, bias_;
  std::optional<std::function<double(double)>> activation_;
};

class Graph {
public:
  explicit Graph(const Json &content) : inputs_(content["inputs"]), nodes_(content["nodes"]) {
    content["input_sequences"];  // LWTNN asks for it
    for (const Json &layer : content["layers"].array()) layers_.emplace_back(layer);
    const Json &output = content["outputs"].object().begin()->second;
    output_ = index(output["node_index"]);
    labels_ = output["labels"].array().size();
  }

  Wanted wanted() const {
    Wanted names;
    for (const Json &node : inputs_.array()) {
      names.emplace_back(node["name"].string(), std::vector<std::string>());
      for (const Json &variable : node["variables"].array())
        names.back().second.push_back(variable["name"].string());
    }
    return names;
  }

  Vector compute(const Inputs &inputs) const {
    std::vector<std::optional<Vector>> known(nodes_.array().size());
    const Vector &cells = node(output_, inputs, known);
    if (cells.size() != labels_) throw std::runtime_error("as many labels as outputs are needed");
    return cells;
  }

private:
  static std::size_t index(const Json &number) { return static_cast<std::size_t>(number.number()); }

  // Each node is computed once; LWTNN computes shared ones anew.
  const Vector &node(std::size_t number, const Inputs &inputs,
                     std::vector<std::optional<Vector>> &known) const {
    if (!known.at(number)) known[number] = computed(nodes_.array()[number], inputs, known);
    return *known[number];
  }

  Vector computed(const Json &content, const Inputs &inputs,
                  std::vector<std::optional<Vector>> &known) const {
    const std::string &type = content["type"].string();
    const Json::Array &sources = content["sources"].array();
    if (type == "input") return encoded(inputs_.array().at(index(sources.at(0))), inputs);
    Vector result = node(index(sources.at(0)), inputs, known);
    if (type == "feed_forward") return layers_.at(index(content["layer_index"]))(result);
    for (std::size_t i = 1; i < sources.size(); ++i) {
      const Vector &other = node(index(sources[i]), inputs, known);
      if (type == "concatenate") result.insert(result.end(), other.begin(), other.end());
      else if (type == "add")
        for (std::size_t k = 0; k < result.size(); ++k) result[k] += other.at(k);
      else throw std::runtime_error("unknown node " + type);
    }
    return result;
  }

  static Vector encoded(const Json &node, const Inputs &inputs) {
    Vector values;
    const auto &given = inputs.at(node["name"].string());
    for (const Json &variable : node["variables"].array())
      values.push_back((given.at(variable["name"].string()) + variable["offset"].number()) *
                       variable["scale"].number());
    return values;
  }

  Json inputs_, nodes_;
  std::vector<Layer> layers_;
  std::size_t output_, labels_;
};

}  // namespace lwtnn_graph
