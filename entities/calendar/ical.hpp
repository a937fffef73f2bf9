#pragma once
// libical's tree as plain properties: nothing else of it is seen outside ical.cpp. One thread.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::entities::calendar {

struct Property {
  std::string name;   // upper case
  std::string value;  // as it stands in the file, unfolded; TEXT without its escapes
  std::map<std::string, std::string> parameters;
  std::string of(const std::string& parameter) const;
};
struct Component {
  std::string name;
  std::vector<Property> properties;
  std::vector<Component> parts;
  const Property* find(std::string_view name) const;
};

// All VCALENDARs of a text below one root.
Result<Component> parse_ical(std::string_view text);

}  // namespace vigil::entities::calendar
