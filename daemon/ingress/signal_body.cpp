#include "daemon/ingress/signal_body.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>

#include "core/exact_json.hpp"

namespace vigil::ingress {
namespace {

constexpr std::size_t symbol_bytes_max = 40;
constexpr std::array<std::string_view, 12> prices{
    "price", "close", "open", "high", "low", "last", "bid", "ask", "size", "qty", "volume", "stop"};

bool is_symbol(std::string_view word) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '.' || c == '!' ||
           c == '_' || c == '/' || c == '-';
  };
  const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  return word.size() >= 2 && word.size() <= symbol_bytes_max && std::ranges::all_of(word, fits) &&
         std::ranges::any_of(word, is_letter);
}

}  // namespace

json::value as_signal(std::string_view text, json::value data) {
  auto* object = data.if_object();
  if (object == nullptr) return data;
  if (const auto plain = find_text(data, "text"); plain && object->size() == 1) {
    auto word = plain->substr(0, plain->find_first_of(" \t\r\n,"));
    while (word.ends_with(':') || word.ends_with('.')) word.remove_suffix(1);
    if (is_symbol(word)) {
      const std::string symbol(word);
      (*object)["symbol"] = symbol;
    }
    return data;
  }
  const auto exact = parse_exact_json(text);
  if (!exact) return data;
  for (const auto name : prices) {
    const auto* value = object->if_contains(name);
    const auto digits = find_text(*exact, name);
    if (value != nullptr && value->is_number() && digits) (*object)[name] = *digits;
  }
  return data;
}

}  // namespace vigil::ingress
