#include "entities/calendar/ical.hpp"

#include <libical/ical.h>

#include <algorithm>
#include <memory>

#include "core/json.hpp"

namespace vigil::entities::calendar {
namespace {

constexpr int depth_max = 8;
constexpr std::size_t value_bytes_max = 64 * 1024;

struct FreeComponent {
  void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};
struct FreeText {
  void operator()(char* text) const { icalmemory_free_buffer(text); }
};
using Text = std::unique_ptr<char, FreeText>;

std::string text_of(const char* text) {
  return text == nullptr ? std::string()
                         : to_valid_utf8(std::string_view(text).substr(0, value_bytes_max));
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    out += next == 'n' || next == 'N' ? '\n' : next;
  }
  return out;
}

std::map<std::string, std::string> parameters_of(icalproperty* property) {
  std::map<std::string, std::string> out;
  for (auto* parameter = icalproperty_get_first_parameter(property, ICAL_ANY_PARAMETER);
       parameter != nullptr && out.size() < 50;
       parameter = icalproperty_get_next_parameter(property, ICAL_ANY_PARAMETER)) {
    const Text written(icalparameter_as_ical_string_r(parameter));
    const std::string_view all = written ? written.get() : "";
    const auto equals = all.find('=');
    if (equals == std::string_view::npos) continue;
    auto value = all.substr(equals + 1);
    if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    out[std::string(all.substr(0, equals))] = to_valid_utf8(value.substr(0, 1'000));
  }
  return out;
}

// What libical refuses it keeps as an error that quotes the value: rules that real programs write
// against the letter (COUNT=-1, UNTIL=) are read from there.
bool take_back(Property& out) {
  constexpr std::string_view mark = " property. Removing entire property: ";
  const auto found = out.value.find(mark);
  if (found == std::string::npos) return false;
  const auto before = out.value.substr(0, found);
  out.name = before.substr(before.rfind(' ') + 1);
  out.value.erase(0, found + mark.size());
  return true;
}

Property property_of(icalproperty* property) {
  Property out;
  const Text name(icalproperty_get_property_name_r(property));
  out.name = text_of(name.get());
  std::ranges::transform(out.name, out.name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  const Text value(icalproperty_get_value_as_string_r(property));
  out.value = text_of(value.get());
  const auto* held = icalproperty_get_value(property);
  if (held != nullptr && icalvalue_isa(held) == ICAL_TEXT_VALUE) out.value = unescaped(out.value);
  out.parameters = parameters_of(property);
  if (icalproperty_isa(property) == ICAL_XLICERROR_PROPERTY) (void)take_back(out);
  return out;
}

Component component_of(icalcomponent* from, int depth) {
  Component out;
  const char* name = icalcomponent_kind_to_string(icalcomponent_isa(from));
  out.name = text_of(name);
  for (auto* property = icalcomponent_get_first_property(from, ICAL_ANY_PROPERTY);
       property != nullptr; property = icalcomponent_get_next_property(from, ICAL_ANY_PROPERTY)) {
    out.properties.push_back(property_of(property));
  }
  for (auto* part = icalcomponent_get_first_component(from, ICAL_ANY_COMPONENT);
       part != nullptr && depth < depth_max;
       part = icalcomponent_get_next_component(from, ICAL_ANY_COMPONENT)) {
    out.parts.push_back(component_of(part, depth + 1));
  }
  return out;
}

}  // namespace

std::string Property::of(const std::string& parameter) const {
  const auto found = parameters.find(parameter);
  return found == parameters.end() ? std::string() : found->second;
}

const Property* Component::find(std::string_view wanted) const {
  const auto found = std::ranges::find(properties, wanted, &Property::name);
  return found == properties.end() ? nullptr : &*found;
}

Result<Component> parse_ical(std::string_view text) {
  icalerror_set_errors_are_fatal(0);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string plain(text);
  std::erase(plain, '\0');
  const std::unique_ptr<icalcomponent, FreeComponent> parsed(
      icalparser_parse_string(plain.c_str()));
  if (!parsed) return fail(ErrorCode::invalid_input, "it is no iCalendar file");
  auto out = component_of(parsed.get(), 0);
  if (out.name == "VCALENDAR") {
    Component root;
    root.parts.push_back(std::move(out));
    return root;
  }
  return out;
}

}  // namespace vigil::entities::calendar
