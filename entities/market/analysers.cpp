#include "entities/market/analysers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "config/load.hpp"
#include "core/csv.hpp"
#include "core/log.hpp"
#include "entities/market/backtest.hpp"
#include "entities/market/candles.hpp"
#include "entities/market/findings.hpp"

namespace vigil::entities::market {
namespace {

constexpr std::size_t file_bytes_max = 256 * 1024 * 1024;

Error wrong(std::string message) { return {ErrorCode::invalid_input, std::move(message)}; }

Result<std::string> read_whole(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  if (error || !in)
    return std::unexpected(wrong(fmt::format("cannot read {}", vigil::quoted(path))));
  if (size > file_bytes_max) {
    return std::unexpected(wrong(fmt::format("{} is larger than {} MiB", vigil::quoted(path),
                                             file_bytes_max / (1024 * 1024))));
  }
  std::string text(size, '\0');
  in.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

Result<std::string> file_of(const Request& request) {
  const auto* files = find_path(request.input, "files");
  if (files == nullptr || !files->is_array() || files->get_array().size() != 1 ||
      !files->get_array()[0].is_string()) {
    return std::unexpected(wrong("give one file"));
  }
  return std::string(std::string_view(files->get_array()[0].get_string()));
}

Result<CandleFile> candles_of(const Request& request) {
  const auto path = file_of(request);
  if (!path) return std::unexpected(wrong("give one file of candles: date,open,high,low,close"));
  const auto text = read_whole(*path);
  if (!text) return std::unexpected(text.error());
  return read_candles(*text);
}

std::string bad_rows(const CandleFile& file) {
  std::string out;
  for (const auto& bad : file.bad) out += fmt::format("line {}: {}\n", bad.line, bad.why);
  if (file.bad_count > file.bad.size()) {
    out += fmt::format("and {} more rows that cannot be read\n", file.bad_count - file.bad.size());
  }
  return out;
}

double number_or(const Request& request, std::string_view key, double otherwise) {
  const auto text = find_scalar_text(request.input, key);
  const auto number = text ? Decimal::parse(*text) : fail(ErrorCode::invalid_input, "");
  return number ? number->number() : otherwise;
}

// Rules stand in a file as in a configuration, with [[rule]] for short, or it is one.
Result<config::Market> strategy_of(const std::string& path) {
  auto text = read_whole(path);
  if (!text) return std::unexpected(text.error());
  const bool is_short =
      text->find("\n[[rule]]") != std::string::npos || text->starts_with("[[rule]]");
  if (is_short) {
    std::string whole;
    for (std::size_t at = 0; at < text->size();) {
      const auto end = std::min(text->find('\n', at), text->size());
      auto line = text->substr(at, end - at);
      for (const auto* table : {"rule", "session"}) {
        const auto head = fmt::format("[[{}]]", table);
        if (line.starts_with(head)) {
          line = fmt::format("[[entity.strategy.market.{}]]", table) + line.substr(head.size());
        }
      }
      whole += line + "\n";
      at = end + 1;
    }
    // Behind what was written, so that lines keep their numbers.
    *text = whole +
            "[entity.strategy]\nkind = \"market\"\n[[entity.strategy.on]]\nsource = \"*\"\n"
            "[[entity.strategy.market.watch]]\nname = \"history\"\n";
  }
  auto loaded = config::load_text(*text, path);
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    std::string all;
    for (const auto& one : *mistakes) all += (all.empty() ? "" : "\n") + one.to_text();
    return std::unexpected(wrong(all));
  }
  for (const auto& [name, entity] : std::get<config::Loaded>(loaded).settings.entities) {
    if (const auto* market = config::find_kind<config::Market>(entity)) return *market;
  }
  return std::unexpected(wrong(fmt::format("{} holds no [[rule]]", vigil::quoted(path))));
}

Result<void> write_page(const Request& request, const std::string& title,
                        const std::vector<Bar>& bars, const Backtest& tried, double worth) {
  const auto path = find_text(request.input, "html");
  if (!path) return {};
  std::ofstream out{std::string(*path), std::ios::binary | std::ios::trunc};
  out << to_html(title, bars, tried, worth);
  out.close();
  if (!out) return std::unexpected(wrong(fmt::format("cannot write {}", vigil::quoted(*path))));
  return {};
}

Result<json::value> run_backtest(const Request& request) {
  const auto rules_path = find_text(request.input, "rules");
  if (!rules_path) return std::unexpected(wrong("rules are missing: --rules FILE.toml"));
  auto market = strategy_of(std::string(*rules_path));
  if (!market) return std::unexpected(market.error());
  const auto file = candles_of(request);
  if (!file) return std::unexpected(file.error());
  config::MarketWatch watch;
  const auto named = find_text(request.input, "watch");
  if (!market->watches.empty()) watch = market->watches.front();
  for (const auto& one : market->watches) {
    if (named && one.name == *named) watch = one;
  }
  if (const auto session = find_text(request.input, "session")) watch.session = *session;
  watch.sources.clear();
  market->watches = {watch};
  const auto setup = setup_of(*market);
  if (!setup) return std::unexpected(setup.error());
  const double worth = number_or(request, "worth", market->worth);
  const auto tried =
      backtest(watch, setup->calendars.at(watch.session), setup->rules, file->bars, worth);
  std::string text = bad_rows(*file);
  json::array alerts;
  for (const auto& one : tried.outcomes) {
    text += fmt::format("{}  {}: {}  {} 1h  {} 1d\n", to_rfc3339(one.alert.at).substr(0, 16),
                        one.alert.rule, one.alert.what, move_text(one.after_hour),
                        move_text(one.after_day));
    auto alert = to_json(one.alert);
    if (one.after_hour) alert["after_hour"] = *one.after_hour;
    if (one.after_day) alert["after_day"] = *one.after_day;
    alerts.emplace_back(std::move(alert));
  }
  for (const auto& [remark, count] : tried.remarks) text += fmt::format("{}x {}\n", count, remark);
  text += score_table(tried.scores);
  const auto name = std::filesystem::path(*file_of(request)).filename().string();
  auto written = write_page(request, "Back-test of " + name, file->bars, tried, worth);
  if (!written) return std::unexpected(written.error());
  json::object scores;
  for (const auto& [rule, score] : tried.scores) scores[rule] = to_json(score);
  return json::value{
      {"text", text},
      {"bars", tried.bars},
      {"bad_rows", file->bad_count},
      {"alerts", std::move(alerts)},
      {"scores", std::move(scores)},
      {"summary", fmt::format("{} alerts in {} bars", tried.outcomes.size(), tried.bars)}};
}

Result<json::value> run_indicator(const Request& request) {
  const auto wanted = find_text(request.input, "indicator");
  if (!wanted) {
    std::string known;
    for (const auto& kind : indicator_kinds()) {
      known += fmt::format("\n  {}({}) {}: {}", kind.name, fmt::join(kind.defaults, ","),
                           fmt::join(kind.outputs, " "), kind.meaning);
    }
    return std::unexpected(
        wrong("indicator is missing: --indicator \"rsi(14)\"; there are:" + known));
  }
  const auto name = parse_indicator(*wanted);
  if (!name) return std::unexpected(name.error());
  const auto file = candles_of(request);
  if (!file) return std::unexpected(file.error());
  std::vector<Candle> candles;
  for (const auto& bar : file->bars) candles.push_back(to_candle(bar));
  const auto values = compute(*name, candles);
  std::string text = bad_rows(*file);
  json::array rows;
  for (std::size_t i = 0; i < values.size(); ++i) {
    json::object row{{"at", to_rfc3339(file->bars[i].at)}};
    text += to_rfc3339(file->bars[i].at).substr(0, 16);
    for (std::size_t output = 0; output < name->kind->outputs.size(); ++output) {
      const double value = values[i][output];
      row[name->kind->outputs[output]] = std::isfinite(value) ? json::value(value) : json::value();
      text += std::isfinite(value) ? fmt::format(" {:>14.6f}", value) : fmt::format(" {:>14}", "-");
    }
    rows.emplace_back(std::move(row));
    text += '\n';
  }
  return json::value{{"text", text}, {"rows", std::move(rows)}, {"bad_rows", file->bad_count}};
}

Result<json::value> run_holdings(const Request& request) {
  const auto path = file_of(request);
  if (!path) return std::unexpected(wrong("give one file with the columns symbol and quantity"));
  const auto text = read_whole(*path);
  if (!text) return std::unexpected(text.error());
  CsvReader reader(*text);
  const auto heading = reader.next();
  const auto column = [&](std::string_view name) {
    return heading ? static_cast<std::size_t>(std::ranges::find(*heading, name) - heading->begin())
                   : 0;
  };
  const auto symbol = column("symbol");
  const auto quantity = column("quantity");
  if (!heading || symbol == heading->size() || quantity == heading->size()) {
    return std::unexpected(wrong("line 1: expected a heading with symbol and quantity"));
  }
  json::array positions;
  std::string out;
  while (const auto row = reader.next()) {
    if (row->size() <= std::max(symbol, quantity) || !Decimal::parse((*row)[quantity])) {
      return std::unexpected(
          wrong(fmt::format("line {}: expected a symbol and a quantity, such as "
                            "AAPL,12.5",
                            reader.line())));
    }
    positions.push_back({{"symbol", (*row)[symbol]}, {"quantity", (*row)[quantity]}});
    out += fmt::format("{} {}\n", (*row)[quantity], (*row)[symbol]);
  }
  const auto summary = fmt::format("{} positions", positions.size());
  return json::value{{"positions", std::move(positions)}, {"text", out}, {"summary", summary}};
}

Result<json::value> run_tune(const Request& request) {
  config::MarketRule settings;
  settings.name = find_text(request.input, "rule").value_or("rule");
  if (const auto* when = find_path(request.input, "when"); when != nullptr && when->is_array()) {
    for (const auto& text : when->get_array()) {
      if (text.is_string()) settings.when.emplace_back(text.get_string());
    }
  }
  settings.clear = number_or(request, "clear", 0);
  settings.again = find_text(request.input, "again").value_or("cleared");
  settings.bars = static_cast<int>(number_or(request, "for", 1));
  settings.outside_session = true;
  if (const auto cooldown = find_text(request.input, "cooldown")) {
    settings.cooldown = parse_duration(*cooldown).value_or(Duration{0});
  }
  const auto rule = make_rule(settings);
  if (!rule) return std::unexpected(rule.error());
  std::vector<Bar> bars;
  if (const auto* list = find_path(request.input, "bars"); list != nullptr && list->is_array()) {
    for (const auto& entry : list->get_array()) {
      Archive archive(entry.is_string() ? std::string_view(entry.get_string()) : "");
      Bar bar;
      keep(bar, archive);
      if (archive.whole()) bars.push_back(std::move(bar));
    }
  }
  config::MarketWatch watch;
  watch.name = find_text(request.input, "watch").value_or("history");
  const auto tuned = tune(watch, Calendar::make("24x7", {}).value(), *rule, bars,
                          number_or(request, "worth", 0.5));
  auto text = fmt::format("{} {}: {:.0f}% of its alerts led nowhere in {} bars.\n", watch.name,
                          settings.name, 100 * tuned.before.noise_share(), bars.size());
  std::map<std::string, RuleScore> table{
      {"now: " + fmt::format("{}", fmt::join(settings.when, " and ")), tuned.before}};
  for (const auto& [when, score] : tuned.tried) table.emplace(when, score);
  text += score_table(table);
  json::object out{
      {"bars", bars.size()}, {"before", to_json(tuned.before)}, {"after", to_json(tuned.after)}};
  if (!tuned.when.empty()) {
    out["when"] = json::array(tuned.when.begin(), tuned.when.end());
    text += fmt::format(
        "Proposed: {}. It applies once this is approved; `vigilctl memory forget` takes it "
        "back.\n",
        fmt::join(tuned.when, " and "));
  }
  out["text"] = text;
  out["summary"] = tuned.when.empty() ? "nothing does better" : "another threshold does better";
  return json::value(std::move(out));
}

constexpr std::array table{
    Analyser{
        "market.backtest", "what rules would have told in the past, and what followed",
        "one file of candles; rules (a TOML file), html (a page to write), session, watch, worth",
        run_backtest},
    Analyser{"market.indicator", "an indicator over a file of candles",
             "one file of candles; indicator, such as \"macd(12,26,9)\"", run_indicator},
    Analyser{"market.holdings", "what is held, read from a file",
             "one CSV file with the columns symbol and quantity", run_holdings},
    Analyser{"market.news", "news near an alert", "alert, items, before, after", find_news},
    Analyser{"market.peers", "whether peers moved with an alert", "alert, peers", compare_peers},
    Analyser{"market.history", "moves like that of an alert, and what followed", "alert, bars",
             recall_moves},
    Analyser{"market.report", "what was found about an alert, for people", "alert, score",
             make_report},
    Analyser{"market.tune", "a threshold that would have told less that led nowhere",
             "rule, when, bars, worth", run_tune},
};

}  // namespace

std::span<const Analyser> analysers() { return table; }

}  // namespace vigil::entities::market
