// The JSON that `simulacra export` writes, read into a tree. Small on purpose; where an experiment
// has a JSON library, use that.
#pragma once

#include <charconv>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

class Json {
public:
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json>;

  Json() = default;
  template <typename T> explicit Json(T value) : value_(std::move(value)) {}

  static Json parse(const std::string &text) {
    const char *at = text.data(), *end = at + text.size();
    Json value = read(at, end);
    skip_space(at, end);
    if (at != end) throw std::runtime_error("JSON: something follows the end");
    return value;
  }

  double number() const { return get<double>("a number"); }
  const std::string &string() const { return get<std::string>("a text"); }
  const Array &array() const { return get<Array>("an array"); }
  const Object &object() const { return get<Object>("an object"); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }

  const Json &operator[](const std::string &key) const {
    auto found = object().find(key);
    if (found == object().end()) throw std::runtime_error("JSON: no key " + key);
    return found->second;
  }

  std::vector<double> numbers() const {
    std::vector<double> values;
    values.reserve(array().size());
    for (const Json &item : array()) values.push_back(item.number());
    return values;
  }

private:
  template <typename T> const T &get(const char *what) const {
    if (const T *value = std::get_if<T>(&value_)) return *value;
    throw std::runtime_error(std::string("JSON: expected ") + what);
  }

  static void skip_space(const char *&at, const char *end) {
    while (at != end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
  }

  static char next(const char *&at, const char *end) {
    skip_space(at, end);
    if (at == end) throw std::runtime_error("JSON: it ends too early");
    return *at;
  }

  static void take(const char *&at, const char *end, char expected) {
    if (next(at, end) != expected)
      throw std::runtime_error(std::string("JSON: expected ") + expected);
    ++at;
  }

  static Json read(const char *&at, const char *end) {
    switch (next(at, end)) {
    case '{': return Json(read_object(at, end));
    case '[': return Json(read_array(at, end));
    case '"': return Json(read_string(at, end));
    case 't': return read_word(at, end, "true", Json(true));
    case 'f': return read_word(at, end, "false", Json(false));
    case 'n': return read_word(at, end, "null", Json());
    default: return Json(read_number(at, end));
    }
  }

  static Json read_word(const char *&at, const char *end, const std::string &word, Json value) {
    if (std::string(at, end).compare(0, word.size(), word) != 0)
      throw std::runtime_error("JSON: unknown word");
    at += word.size();
    return value;
  }

  static double read_number(const char *&at, const char *end) {
    double value = 0;
    auto [stop, error] = std::from_chars(at, end, value);
    if (error != std::errc()) throw std::runtime_error("JSON: not a number");
    at = stop;
    return value;
  }

  static std::string read_string(const char *&at, const char *end) {
    take(at, end, '"');
    std::string text;
    while (at != end && *at != '"') {
      if (*at == '\\') text += escaped(++at, end);
      else text += *at++;
    }
    take(at, end, '"');
    return text;
  }

  static char escaped(const char *&at, const char *end) {
    if (at == end) throw std::runtime_error("JSON: it ends too early");
    switch (char c = *at++) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'u':  // only in names and remarks, where one sign is as good as another
      if (end - at < 4) throw std::runtime_error("JSON: it ends too early");
      at += 4;
      return '?';
    default: return c;
    }
  }

  static Array read_array(const char *&at, const char *end) {
    Array items;
    take(at, end, '[');
    if (next(at, end) != ']') {
      items.push_back(read(at, end));
      while (next(at, end) == ',') items.push_back(read(++at, end));
    }
    take(at, end, ']');
    return items;
  }

  static Object read_object(const char *&at, const char *end) {
    Object items;
    take(at, end, '{');
    if (next(at, end) != '}') {
      read_item(items, at, end);
      while (next(at, end) == ',') read_item(items, ++at, end);
    }
    take(at, end, '}');
    return items;
  }

  static void read_item(Object &items, const char *&at, const char *end) {
    skip_space(at, end);
    std::string key = read_string(at, end);
    take(at, end, ':');
    items.emplace(std::move(key), read(at, end));
  }

  std::variant<std::monostate, bool, double, std::string, Array, Object> value_;
};
