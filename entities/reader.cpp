#include "entities/reader.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>

namespace vigil::entities {

Reader::Reader(const json::value& value) : Reader(value, "", std::make_shared<std::string>()) {}

Reader::Reader(const json::value& value, std::string path, std::shared_ptr<std::string> error)
    : value_(&value), path_(std::move(path)), error_(std::move(error)) {
  if (!value.is_object()) fail_at("", "expected an object");
}

const json::value* Reader::find(std::string_view name) const {
  const auto* object = value_->if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

void Reader::fail_at(std::string_view name, std::string_view what) {
  if (!error_->empty()) return;
  const auto dot = path_.empty() || name.empty() ? "" : ".";
  const auto path = fmt::format("{}{}{}", path_, dot, name);
  *error_ = path.empty() ? std::string(what) : fmt::format("{}: {}", path, what);
}

std::optional<std::string> Reader::error() const {
  if (error_->empty()) return std::nullopt;
  return *error_;
}

std::string Reader::text(std::string_view name) {
  if (!has(name)) {
    fail_at(name, "expected text, it is missing");
    return {};
  }
  return text_or(name, "");
}

std::string Reader::text_or(std::string_view name, std::string_view otherwise) {
  const auto* found = find(name);
  if (found == nullptr) return std::string(otherwise);
  if (found->is_string()) return std::string(found->get_string());
  fail_at(name, "expected text");
  return {};
}

double Reader::number_or(std::string_view name, double otherwise) {
  const auto* found = find(name);
  if (found == nullptr) return otherwise;
  if (found->is_number()) return found->to_number<double>();
  fail_at(name, "expected a number");
  return otherwise;
}

bool Reader::flag_or(std::string_view name, bool otherwise) {
  const auto* found = find(name);
  if (found == nullptr) return otherwise;
  if (found->is_bool()) return found->get_bool();
  fail_at(name, "expected true or false");
  return otherwise;
}

json::value Reader::value(std::string_view name) {
  const auto* found = find(name);
  return found == nullptr ? json::value() : *found;
}

json::object Reader::object_or_empty(std::string_view name) {
  const auto* found = find(name);
  if (found == nullptr) return {};
  if (found->is_object()) return found->get_object();
  fail_at(name, "expected an object");
  return {};
}

std::size_t Reader::size_of(std::string_view name) {
  const auto* found = find(name);
  if (found == nullptr) return 0;
  if (found->is_array()) return found->get_array().size();
  fail_at(name, "expected a list");
  return 0;
}

Reader Reader::item_of(std::string_view name, std::size_t at) {
  const auto dot = path_.empty() ? "" : ".";
  return Reader(find(name)->get_array()[at], fmt::format("{}{}{}[{}]", path_, dot, name, at),
                error_);
}

}  // namespace vigil::entities
