#include "daemon/ingress/stream_refetch.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/exact_json.hpp"
#include "daemon/ingress/stream_reading.hpp"

namespace vigil::ingress {
namespace {

using config::StreamForm;

std::string filled_in(std::string text, std::string_view name, const std::string& value) {
  const auto at = text.find(name);
  if (at != std::string::npos) text.replace(at, name.size(), value);
  return text;
}

std::string_view text_at(const json::value& value, std::string_view path) {
  return find_text(value, path).value_or("");
}

NamedTrade named(StreamForm form, const std::string& symbol, const json::value& one) {
  const auto at = [&](std::string_view path) { return text_at(one, path); };
  switch (form) {
    case StreamForm::kraken:  // price, volume, time, side, type, misc, id
      return {symbol, at("0"), at("1"), at("2"), at("6"), {}};
    case StreamForm::coinbase:
      return {symbol, at("price"), at("size"), at("time"), at("trade_id"), {}};
    case StreamForm::bitstamp:
      return {symbol, at("price"), at("amount"), at("date"), {}, at("tid")};
    default:
      return {symbol, at("price"), at("qty"), at("time"), at("id"), {}};
  }
}

// Kraken names the list as it likes: XXBTZUSD for BTC/USD.
const json::value* list_of_kraken(const json::value& root) {
  const auto* result = find_path(root, "result");
  if (result == nullptr || !result->is_object()) return nullptr;
  for (const auto& [name, value] : result->get_object()) {
    if (value.is_array()) return &value;
  }
  return nullptr;
}

}  // namespace

std::string refetch_address(const config::Stream& settings, const StreamWindow::Hole& hole) {
  auto pair = hole.symbol;
  std::erase(pair, '/');
  auto out = filled_in(settings.refetch, "{symbol}", hole.symbol);
  out = filled_in(out, "{pair}", pair);
  out = filled_in(out, "{from}", std::to_string(hole.first));
  out = filled_in(out, "{to}", std::to_string(hole.last));
  out = filled_in(out, "{next}", std::to_string(hole.last + 1));
  return filled_in(out, "{since}", std::to_string(to_unix_us(hole.from) / 1'000'000));
}

Result<std::vector<Trade>> read_missed_trades(const config::Stream& settings,
                                              const std::string& symbol, std::string_view text,
                                              TimePoint now) {
  const auto root = parse_exact_json(text);
  if (!root) return std::unexpected(root.error());
  if (settings.form == StreamForm::json) return mapped_trades(*settings.table, *root, now);
  const auto* list = settings.form == StreamForm::kraken ? list_of_kraken(*root) : &*root;
  if (list == nullptr || !list->is_array()) {
    const auto said = text_at(*root, "error.0");
    return fail(ErrorCode::invalid_input,
                said.empty() ? "expected a list of trades: correct `refetch`" : std::string(said));
  }
  std::vector<Trade> out;
  for (const auto& one : list->get_array()) {
    auto trade = trade_of(named(settings.form, symbol, one), now);
    if (!trade) return std::unexpected(std::move(trade.error()));
    out.push_back(std::move(*trade));
  }
  return out;
}

}  // namespace vigil::ingress
