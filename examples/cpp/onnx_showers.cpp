// Showers from a file of `simulacra export --to onnx`, one a line: all numbers of its first output.
//
//   onnx_showers FILE.onnx NUMBER SEED NAME=VALUE …   conditions by name, in physical units
//   onnx_showers FILE.onnx -                          from stdin, one event a line: the conditions in
//                                                     the file's order, then the noise
//
// The file says of itself what it takes: the JSON under the key "simulacra" of its metadata.
#include "json.hpp"

#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

class Simulator {
public:
  explicit Simulator(const char *path)
      : environment_(ORT_LOGGING_LEVEL_ERROR, "simulacra"),
        session_(environment_, path, one_thread()) {
    Ort::AllocatorWithDefaultOptions allocator;
    auto text = session_.GetModelMetadata().LookupCustomMetadataMapAllocated("simulacra", allocator);
    if (!text) throw std::runtime_error("not a file of simulacra export");
    const Json contract = Json::parse(text.get());
    for (const Json &column : contract["columns"].array()) columns_.push_back(column["name"].string());
    noise_shape_ = {1};
    for (double size : contract["noise"].numbers()) noise_shape_.push_back(std::int64_t(size));
    output_ = contract["outputs"].array().at(0)["name"].string();
  }

  const std::vector<std::string> &columns() const { return columns_; }

  std::size_t noise() const {
    std::size_t size = 1;
    for (std::int64_t length : noise_shape_) size *= static_cast<std::size_t>(length);
    return size;
  }

  // One event; a batch is the same with a first dimension of its size.
  std::vector<float> simulate(std::vector<float> conditions, std::vector<float> noise) {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const std::vector<std::int64_t> shape = {1, std::int64_t(conditions.size())};
    Ort::Value inputs[] = {
        Ort::Value::CreateTensor<float>(memory, conditions.data(), conditions.size(), shape.data(),
                                        shape.size()),
        Ort::Value::CreateTensor<float>(memory, noise.data(), noise.size(), noise_shape_.data(),
                                        noise_shape_.size())};
    const char *names[] = {"conditions", "noise"};
    const char *wanted[] = {output_.c_str()};
    auto outputs = session_.Run(Ort::RunOptions(), names, inputs, 2, wanted, 1);
    const float *first = outputs[0].GetTensorData<float>();
    return {first, first + outputs[0].GetTensorTypeAndShapeInfo().GetElementCount()};
  }

private:
  static Ort::SessionOptions one_thread() {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    return options;
  }

  Ort::Env environment_;
  Ort::Session session_;
  std::vector<std::string> columns_;
  std::vector<std::int64_t> noise_shape_;
  std::string output_;
};

void print(const std::vector<float> &values) {
  for (float value : values) std::printf("%.9g ", value);
  std::printf("\n");
}

std::vector<float> take(std::istringstream &numbers, std::size_t count) {
  std::vector<float> values(count);
  for (float &value : values) numbers >> value;
  if (!numbers) throw std::runtime_error("a line of stdin has too few numbers");
  return values;
}

void answer_stdin(Simulator &simulator) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream numbers(line);
    auto conditions = take(numbers, simulator.columns().size());
    auto noise = take(numbers, simulator.noise());
    print(simulator.simulate(std::move(conditions), std::move(noise)));
  }
}

std::vector<float> named(const Simulator &simulator, char **first, char **last) {
  std::map<std::string, float> given;
  for (; first != last; ++first) {
    const std::string argument = *first;
    const auto split = argument.find('=');
    if (split == std::string::npos) throw std::runtime_error("conditions are written NAME=VALUE");
    given[argument.substr(0, split)] = std::stof(argument.substr(split + 1));
  }
  std::vector<float> conditions;
  for (const std::string &name : simulator.columns()) {
    if (given.count(name) == 0) throw std::runtime_error("no condition " + name);
    conditions.push_back(given[name]);
  }
  return conditions;
}

void shoot(Simulator &simulator, int number, unsigned seed, const std::vector<float> &conditions) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> normal;
  for (int i = 0; i < number; ++i) {
    std::vector<float> noise(simulator.noise());
    std::generate(noise.begin(), noise.end(), [&] { return normal(engine); });
    print(simulator.simulate(conditions, std::move(noise)));
  }
}

}  // namespace

int main(int argc, char **argv) {
  try {
    if (argc < 3) throw std::runtime_error("usage: onnx_showers FILE.onnx (NUMBER SEED NAME=VALUE … | -)");
    Simulator simulator(argv[1]);
    if (std::string(argv[2]) == "-") answer_stdin(simulator);
    else if (argc < 4) throw std::runtime_error("a number of events and a seed are needed");
    else
      shoot(simulator, std::stoi(argv[2]), static_cast<unsigned>(std::stoul(argv[3])),
            named(simulator, argv + 4, argv + argc));
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
}
