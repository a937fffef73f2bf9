#include "entities/codebase/secret_vectors.hpp"

#include <fmt/format.h>

#include <array>

#include "core/digest.hpp"
#include "entities/codebase/secret_forms.hpp"

namespace vigil::entities::codebase {
namespace {

// SplitMix64: small, and the same everywhere.
std::uint64_t next(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  auto z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// The members of "[a-z0-9_-]", with `at` behind the opening bracket; it is left behind the closing.
std::string members(std::string_view form, std::size_t& at) {
  std::string all;
  while (at < form.size() && form[at] != ']') {
    const char first = form[at];
    if (at + 2 < form.size() && form[at + 1] == '-' && form[at + 2] != ']') {
      for (int c = first; c <= form[at + 2]; ++c) all += static_cast<char>(c);
      at += 3;
    } else {
      all += first;
      ++at;
    }
  }
  ++at;
  return all;
}

int number_at(std::string_view form, std::size_t& at) {
  int value = 0;
  while (at < form.size() && form[at] >= '0' && form[at] <= '9') {
    value = value * 10 + (form[at++] - '0');
  }
  return value;
}

// Where credentials are written. {} is the credential, {name} what it is called.
struct Surroundings {
  std::string_view path;
  std::string_view line;
};
constexpr std::array surroundings{
    Surroundings{"src/client.py", "{NAME} = \"{}\""},
    Surroundings{"src/client.py", "    client = Client(token='{}', retries=3)"},
    Surroundings{"web/app.js", "const {name} = '{}';"},
    Surroundings{"web/config.json", "  \"{name}\": \"{}\","},
    Surroundings{"deploy/values.yaml", "  {name}: {}"},
    Surroundings{"deploy/.env", "{NAME}={}"},
    Surroundings{"scripts/run.sh", "export {NAME}={}"},
    Surroundings{"scripts/run.sh", "curl -H \"Authorization: Bearer {}\" https://api.acme.io/v1"},
    Surroundings{"main.tf", "  {name} = \"{}\""},
    Surroundings{"Dockerfile", "ENV {NAME} {}"},
    Surroundings{"cmd/main.go", "\tconst {name} = \"{}\" // the old one"},
    Surroundings{"src/Client.java", "    private static final String {NAME} = \"{}\";"},
    Surroundings{"notes.txt", "log in with {} and see what comes"},
};

std::string replaced(std::string text, std::string_view mark, std::string_view by) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size())) {
    text.replace(at, mark.size(), by);
  }
  return text;
}

std::string upper(std::string text) {
  for (auto& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

Part part_of(std::string_view kind, std::string_view line) {
  const auto digest = sha256(fmt::format("{}\n{}", kind, line));
  return (static_cast<unsigned char>(as_bytes(digest)[0]) & 1U) == 0 ? Part::seen : Part::held_out;
}

}  // namespace

std::string made_up(std::string_view form, std::uint64_t& state) {
  std::string out;
  std::size_t at = 0;
  while (at < form.size()) {
    std::string all(1, form[at++]);
    if (all[0] == '[') {
      all = members(form, at);
    } else if (all[0] == '\\' && at < form.size()) {
      all = form[at++];
    }
    int least = 1;
    int most = 1;
    if (at < form.size() && form[at] == '{' && at + 1 < form.size() && form[at + 1] >= '0' &&
        form[at + 1] <= '9') {
      ++at;
      least = most = number_at(form, at);
      if (at < form.size() && form[at] == ',') most = number_at(form, ++at);
      ++at;
    }
    if (all.empty() || most < least) continue;
    const auto spread = static_cast<std::uint64_t>(most - least + 1);
    const auto count = least + static_cast<int>(next(state) % spread);
    for (int i = 0; i < count; ++i) out += all[next(state) % all.size()];
  }
  return out;
}

std::vector<SecretVector> secret_vectors(std::uint64_t seed, int rounds) {
  std::vector<SecretVector> all;
  std::uint64_t state = seed;
  for (const auto& form : secret_forms()) {
    for (const auto& around : surroundings) {
      // Some are told only by what they are called.
      const bool named = around.line.find("name}") != std::string_view::npos ||
                         around.line.find("NAME}") != std::string_view::npos;
      if (!form.name.empty() && form.needs_name && !named) continue;
      for (int round = 0; round < rounds; ++round) {
        const std::string name(form.name.empty() ? "value" : form.name);
        auto line = replaced(std::string(around.line), "{name}", name);
        line = replaced(std::move(line), "{NAME}", upper(name));
        line = replaced(std::move(line), "{}", made_up(form.form, state));
        all.push_back({std::string(form.kind), std::string(around.path), std::move(line),
                       Label::secret, part_of(form.kind, around.line)});
      }
    }
  }
  for (const auto& form : harmless_forms()) {
    for (int round = 0; round < rounds; ++round) {
      all.push_back({std::string(form.kind), std::string(form.path), made_up(form.line, state),
                     Label::harmless, part_of(form.kind, form.line)});
    }
  }
  return all;
}

}  // namespace vigil::entities::codebase
