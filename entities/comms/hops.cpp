#include "entities/comms/hops.hpp"

#include <algorithm>

#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

constexpr std::size_t received_bytes_max = 2'000;

std::vector<std::string_view> tokens_of(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  std::vector<std::string_view> out;
  while (true) {
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return out;
    const auto end = std::min(text.find_first_of(blanks, begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

std::string_view bare(std::string_view token) {
  constexpr std::string_view around = "()[]<>;,\"";
  const auto begin = token.find_first_not_of(around);
  if (begin == std::string_view::npos) return {};
  return token.substr(begin, token.find_last_not_of(around) - begin + 1);
}

bool is_zone(std::string_view token) {
  return token.size() == 5 && (token[0] == '+' || token[0] == '-') &&
         token.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

void add_host(std::vector<std::string>& to, std::string_view host) {
  host = host.substr(0, host.find(':'));
  if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  if (auto name = organisation_of(host); !name.empty()) to.push_back(std::move(name));
}

}  // namespace

std::string organisation_of(std::string_view host) {
  const auto name = lower_ascii(host);
  const auto last = name.rfind('.');
  if (last == std::string::npos || last == 0 || last + 2 >= name.size()) return {};
  const bool letters =
      std::ranges::all_of(name.substr(last + 1), [](char c) { return c >= 'a' && c <= 'z'; });
  if (!letters) return {};
  auto begin = name.rfind('.', last - 1);
  const auto second = last - (begin == std::string::npos ? 0 : begin + 1);
  if (begin != std::string::npos && begin > 0 && name.size() - last == 3 && second <= 3) {
    begin = name.rfind('.', begin - 1);
  }
  return begin == std::string::npos ? name : name.substr(begin + 1);
}

std::vector<std::string> hop_words(std::string_view received) {
  std::vector<std::string> out;
  const auto tokens = tokens_of(received.substr(0, received_bytes_max));
  std::string before;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto token = tokens[i];
    const auto core = bare(token);
    const bool opens = token.starts_with('(');
    if (before == "from" || before == "by" || before == "helo") {
      add_host(out, core);
    } else if (core.starts_with("helo=")) {
      add_host(out, core.substr(5));
    } else if (opens && i + 1 < tokens.size() && tokens[i + 1].starts_with('[')) {
      add_host(out, core);  // the name that belongs to the address, or "unknown"
      if (core.find('.') == std::string_view::npos) out.push_back("by:" + lower_ascii(core));
    } else if (opens && !core.empty()) {
      out.push_back("by:" + lower_ascii(core.substr(0, core.find('/'))));
    } else if (before == "with") {
      out.push_back("with:" + lower_ascii(core));
    } else if (before == "for" && core.find('@') != std::string_view::npos) {
      out.push_back("for:" + lower_ascii(core));
    } else if (is_zone(token)) {
      out.push_back("zone:" + std::string(token));
    }
    before = lower_ascii(core);
  }
  return out;
}

}  // namespace vigil::entities::comms
