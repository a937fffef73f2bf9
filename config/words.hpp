#pragma once
// How the configuration spells the values of enumerations, in the order of their declaration, and
// the search for the word somebody meant.
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace vigil::config {

template <class Enum>
struct Words;

template <>
struct Words<LogLevel> {
  static constexpr std::array<std::string_view, 5> all{"debug", "info", "warn", "error", "off"};
};
template <>
struct Words<Scheme> {
  static constexpr std::array<std::string_view, 19> all{
      "github",    "gitlab",       "gitea", "slack",   "stripe",      "standard_webhooks",
      "pagerduty", "alertmanager", "sns",   "ping",    "tradingview", "hmac",
      "bearer",    "basic",        "none",  "mailgun", "sendgrid",    "postmark",
      "telegram"};
};
template <>
struct Words<Misfire> {
  static constexpr std::array<std::string_view, 3> all{"skip", "run_once", "run_all"};
};
template <>
struct Words<Overlap> {
  static constexpr std::array<std::string_view, 5> all{"skip", "buffer_one", "buffer_all",
                                                       "cancel_other", "allow_all"};
};
template <>
struct Words<PollForm> {
  static constexpr std::array<std::string_view, 5> all{"items", "document", "github_events", "feed",
                                                       "table"};
};
template <>
struct Words<TableFormat> {
  static constexpr std::array<std::string_view, 2> all{"csv", "json"};
};
template <>
struct Words<FileForm> {
  static constexpr std::array<std::string_view, 3> all{"lines", "json", "table"};
};
template <>
struct Words<StreamForm> {
  static constexpr std::array<std::string_view, 5> all{"binance", "kraken", "coinbase", "bitstamp",
                                                       "json"};
};
template <>
struct Words<CalendarForm> {
  static constexpr std::array<std::string_view, 3> all{"file", "http", "caldav"};
};
template <>
struct Words<MailTls> {
  static constexpr std::array<std::string_view, 3> all{"implicit", "starttls", "none"};
};
template <>
struct Words<Autonomy> {
  static constexpr std::array<std::string_view, 3> all{"observe", "propose", "act"};
};
template <>
struct Words<ModelApi> {
  static constexpr std::array<std::string_view, 2> all{"openai", "anthropic"};
};
template <>
struct Words<AgentRecipe> {
  static constexpr std::array<std::string_view, 3> all{"claude", "codex", "command"};
};
template <>
struct Words<AgentOutcome> {
  static constexpr std::array<std::string_view, 2> all{"discard", "patch"};
};

template <class Enum>
std::string_view word_of(Enum value) {
  return Words<Enum>::all.at(static_cast<std::size_t>(value));
}

inline constexpr std::array<std::string_view, 12> source_kinds{
    "webhook",  "schedule",  "repository", "poll",    "file", "stream",
    "calendar", "documents", "imap",       "maildir", "lmtp", "telegram"};
inline constexpr std::array<std::string_view, 11> sink_kinds{"http", "github", "command", "file",
                                                             "log",  "git",    "imap",    "maildir",
                                                             "smtp", "slack",  "telegram"};
inline constexpr std::array<std::string_view, 6> entity_kinds{"codebase", "rules",  "process",
                                                              "ops",      "market", "comms"};
inline constexpr std::array<std::string_view, 2> encodings{"hex", "base64"};
inline constexpr std::array<std::string_view, 3> sandboxes{"strict", "net", "none"};
inline constexpr std::array<std::string_view, 5> advised{"review", "failure", "move", "mail",
                                                         "incident"};
inline constexpr std::array<std::string_view, 3> severities{"info", "warning", "critical"};
inline constexpr std::array<std::string_view, 3> failure_choices{"continue", "fail", "partial"};
inline constexpr std::array<std::string_view, 4> action_moments{"event", "report", "ok", "failed"};

// The candidate with the fewest single-letter edits from `word`; empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// `; did you mean "x"?`, or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace vigil::config
