// What the public TOML suite says that each valid file means, beside what the loader makes of it.
// The form of the expected values: https://github.com/toml-lang/toml-test#json-encoding
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <sstream>

#include "config/node.hpp"
#include "core/json.hpp"
#include "tests/config/scratch.hpp"
#include "tests/support/places.hpp"

namespace vigil::config {
namespace {

const std::string suite = source_dir() + "/../shared/data/conformance/toml";

// One moment has many spellings: without zeros at the end of the fraction, and with Z for UTC.
std::string canonical_time(std::string text) {
  if (text.ends_with("+00:00") || text.ends_with("-00:00")) {
    text.replace(text.size() - 6, 6, "Z");
  }
  const auto dot = text.find('.');
  if (dot == std::string::npos) return text;
  auto end = text.find_first_not_of("0123456789", dot + 1);
  if (end == std::string::npos) end = text.size();
  auto last = text.find_last_not_of('0', end - 1);
  if (last == dot) --last;
  text.erase(last + 1, end - last - 1);
  return text;
}

bool is_same_number(double given, const std::string& wanted) {
  if (wanted.ends_with("nan")) return std::isnan(given);
  if (wanted.ends_with("inf")) {
    return std::isinf(given) && std::signbit(given) == wanted.starts_with('-');
  }
  return given == std::stod(wanted);
}

bool is_scalar(const json::value& wanted) {
  return wanted.is_object() && wanted.get_object().size() == 2 && find_text(wanted, "type") &&
         find_text(wanted, "value");
}

// Why the two are not the same.
std::optional<std::string> difference(const Node& given, const json::value& wanted);

std::optional<std::string> scalar_difference(const Node& given, const json::value& wanted) {
  const std::string type(*find_text(wanted, "type"));
  const std::string value(*find_text(wanted, "value"));
  const auto held = [&]() -> bool {
    using Kind = Node::Kind;
    if (type == "string") return given.kind == Kind::text && given.text == value;
    if (type == "integer") {
      return given.kind == Kind::integer && given.integer == std::stoll(value);
    }
    if (type == "float") return given.kind == Kind::real && is_same_number(given.real, value);
    if (type == "bool") {
      return given.kind == Kind::boolean && given.boolean == (value == "true");
    }
    return given.kind == Kind::time && canonical_time(given.text) == canonical_time(value);
  }();
  if (held) return std::nullopt;
  return "not the " + type + " " + value + " but " + print_value(given);
}

std::optional<std::string> difference(const Node& given, const json::value& wanted) {
  if (is_scalar(wanted)) return scalar_difference(given, wanted);
  const bool is_list = wanted.is_array();
  if (given.kind != (is_list ? Node::Kind::list : Node::Kind::table)) return "another kind";
  const auto size = is_list ? wanted.get_array().size() : wanted.get_object().size();
  if (given.items.size() != size) return "another number of values";
  for (std::size_t i = 0; i < size; ++i) {
    const auto& item = given.items[i];
    const auto* beside =
        is_list ? &wanted.get_array()[i] : wanted.get_object().if_contains(item.key);
    if (beside == nullptr) return "an unexpected key " + item.key;
    if (const auto why = difference(item, *beside)) return item.key + ": " + *why;
  }
  return std::nullopt;
}

TEST_CASE("each valid file of the public TOML suite means what the suite says") {
  if (!std::filesystem::exists(suite)) {
    MESSAGE("skipped: ", suite, " is not there");
    return;
  }
  std::istringstream names(read_whole(suite + "/files-toml-1.0.0"));
  int compared = 0;
  for (std::string name; std::getline(names, name);) {
    if (!name.starts_with("valid/") || !name.ends_with(".toml")) continue;
    CAPTURE(name);
    const auto given = parse_toml(read_whole(suite + "/" + name), name);
    const auto beside = name.substr(0, name.size() - 5) + ".json";
    const auto wanted = parse_json(read_whole(suite + "/" + beside));
    REQUIRE(given.has_value());
    REQUIRE(wanted.has_value());
    const auto why = difference(*given, *wanted);
    INFO(why.value_or(""));
    CHECK_FALSE(why.has_value());
    ++compared;
  }
  MESSAGE(compared, " files mean what they should");
  CHECK(compared > 200);
}

}  // namespace
}  // namespace vigil::config
