#pragma once
// Every key of [entity.NAME.market]. See schema.hpp.
#include "config/schema.hpp"

namespace vigil::config {

inline constexpr std::array<std::string_view, 2> digest_moments{"open", "close"};

template <class Visitor>
void describe(Visitor& v, MarketWatch& of) {
  v.value(Spec{.name = "name",
               .meaning = "unique in its entity; its case is watch:NAME",
               .presence = Presence::required,
               .form = Form::name},
          of.name);
  v.value(Spec{.name = "symbol", .meaning = "as its sources spell it; empty: the name"}, of.symbol);
  v.value(Spec{.name = "sources",
               .meaning = "sources of its prices: the first leads, the others confirm it; empty: "
                          "all that know the symbol, the first that speaks leads",
               .form = Form::name},
          of.sources);
  v.value(Spec{.name = "interval", .meaning = "of the bars that count, such as 1m; empty: any"},
          of.interval);
  v.value(Spec{.name = "peers",
               .meaning = "watches whose moves are compared with its own",
               .form = Form::name},
          of.peers);
  v.value(Spec{.name = "words",
               .meaning = "news is about it that holds one of these words, or its symbol"},
          of.words);
  v.value(Spec{.name = "cik", .meaning = "number of the company at the SEC: its filings are news"},
          of.cik);
  v.value(Spec{.name = "session",
               .meaning = "when its market is open: 24x7, XNYS, XETR, XLON, or a session below",
               .form = Form::name},
          of.session);
  v.value(Spec{.name = "stale_after",
               .meaning = "nothing heard for so long while the market is open is told; 0s: never"},
          of.stale_after);
  v.value(Spec{.name = "jump_max",
               .meaning = "percent: a price further from the last one is held until another source "
                          "or the next price confirms it; 0: none is"},
          of.jump_max);
}

template <class Visitor>
void describe(Visitor& v, MarketRule& of) {
  v.value(Spec{.name = "name",
               .meaning = "unique in its entity",
               .presence = Presence::required,
               .form = Form::task_name},
          of.name);
  v.value(Spec{.name = "watch", .meaning = "names of watches; empty: all", .form = Form::name},
          of.watches);
  v.value(Spec{.name = "when",
               .meaning = "conditions, such as \"close crosses above sma(50)\"; all must hold",
               .least = 1},
          of.when);
  v.value(Spec{.name = "clear",
               .meaning = "percent: a level counts as left only when the value is so far back"},
          of.clear);
  v.value(Spec{.name = "again",
               .meaning = "when it may be told again: cleared (once it no longer held), once "
                          "(never), every (each bar it holds), or 5% (once the price has moved so "
                          "far)"},
          of.again);
  v.value(Spec{.name = "for", .meaning = "only after it held for so many bars", .least = 1},
          of.bars);
  v.value(Spec{.name = "cooldown", .meaning = "after it was told it is not told for so long"},
          of.cooldown);
  v.value(Spec{.name = "outside_session", .meaning = "told while the market is closed, too"},
          of.outside_session);
  v.value(Spec{.name = "severity", .meaning = "of the alert", .choices = severities}, of.severity);
}

template <class Visitor>
void describe(Visitor& v, MarketSession& of) {
  v.value(Spec{.name = "name",
               .meaning = "unique in its entity",
               .presence = Presence::required,
               .form = Form::name},
          of.name);
  v.value(Spec{.name = "tz", .meaning = "zone of all that follows", .form = Form::zone}, of.tz);
  v.value(Spec{.name = "days", .meaning = "\"mon\" to \"sun\", or 1 (Monday) to 7", .least = 1},
          of.days);
  v.value(Spec{.name = "open", .meaning = "local time", .form = Form::clock}, of.open_minute);
  v.value(Spec{.name = "close",
               .meaning = "local time; not later than open: on the next day",
               .form = Form::clock},
          of.close_minute);
  v.value(Spec{.name = "holidays", .meaning = "days without a session: \"2026-12-25\""},
          of.holidays);
  v.value(Spec{.name = "half_days", .meaning = "days that end early: \"2026-12-24 13:00\""},
          of.half_days);
}

template <class Visitor>
void describe(Visitor& v, MarketHoldings& of) {
  v.value(Spec{.name = "file",
               .meaning = "CSV with the columns symbol and quantity",
               .presence = Presence::required,
               .form = Form::path},
          of.file);
  v.value(Spec{.name = "every", .meaning = "how often it is valued", .least = in_us(1min)},
          of.every);
  v.value(Spec{.name = "drawdown_above",
               .meaning = "percent below the highest value so far that is told"},
          of.drawdown_above);
  v.value(Spec{.name = "clear", .meaning = "percent it must come back by before it is told again"},
          of.clear);
  v.value(Spec{.name = "severity", .meaning = "of the alert", .choices = severities}, of.severity);
}

template <class Visitor>
void describe(Visitor& v, Market& of) {
  v.value(Spec{.name = "report_sink",
               .meaning = "gets alerts, reports and digests; empty: only remembered",
               .form = Form::name},
          of.report_sink);
  v.value(Spec{.name = "digest",
               .meaning = "when all watches of a session are summed up: open, close",
               .choices = digest_moments},
          of.digest);
  v.value(Spec{.name = "investigate",
               .meaning = "gather news, filings, moves of peers and similar alerts for an alert"},
          of.investigate);
  v.value(
      Spec{.name = "news_before", .meaning = "news may explain a move that comes so much later"},
      of.news_before);
  v.value(Spec{.name = "news_after", .meaning = "news that comes so much after a move still may"},
          of.news_after);
  v.value(Spec{.name = "worth",
               .meaning = "percent: an alert was worth telling when the price moved so far within "
                          "an hour or a day"},
          of.worth);
  v.value(Spec{.name = "noise_share",
               .meaning = "share of alerts not worth telling from which a rule is called noisy"},
          of.noise_share);
  v.value(Spec{.name = "propose_after",
               .meaning = "alerts of a rule with a known outcome before it is judged",
               .least = 3},
          of.propose_after);
  v.tables(Spec{.name = "watch", .meaning = "what is watched", .least = 1}, of.watches);
  v.tables(Spec{.name = "rule", .meaning = "what is told"}, of.rules);
  v.tables(Spec{.name = "session", .meaning = "when a market is open"}, of.sessions);
  v.table(Spec{.name = "holdings", .meaning = "what is held, valued as a whole"}, of.holdings);
}

template <class Visitor>
void describe_kind(Visitor& v, Boxed<Market>& of) {
  v.table(Spec{.name = "market", .meaning = "prices and news that are watched"}, of);
}

}  // namespace vigil::config
