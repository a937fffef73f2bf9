#include "config/writing.hpp"

namespace vigil::config {

Node to_node(const Settings& settings) {
  Settings copy = settings;  // visitors take members they could fill
  Node node;
  Writing writing(node);
  describe(writing, copy);
  return node;
}

std::string to_toml(const Settings& settings) { return print_toml(to_node(settings)); }

}  // namespace vigil::config
