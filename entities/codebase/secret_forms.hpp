#pragma once
// How credentials and their look-alikes are written, for secret_vectors.cpp. Data only.
#include <span>
#include <string_view>

namespace vigil::entities::codebase {

struct SecretForm {
  std::string_view kind;
  std::string_view form;       // as made_up() takes it
  std::string_view name = {};  // what it is called; empty: nothing that would tell
  bool needs_name = false;     // without it nobody could know
};
std::span<const SecretForm> secret_forms();

struct HarmlessForm {
  std::string_view kind;
  std::string_view path;
  std::string_view line;  // as made_up() takes it
};
std::span<const HarmlessForm> harmless_forms();

}  // namespace vigil::entities::codebase
