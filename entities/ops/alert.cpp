#include "entities/ops/alert.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

namespace vigil::entities::ops {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

constexpr std::array<std::pair<std::string_view, Severity>, 27> severity_words{{
    {"critical", Severity::critical},
    {"crit", Severity::critical},
    {"page", Severity::critical},
    {"fatal", Severity::critical},
    {"emergency", Severity::critical},
    {"disaster", Severity::critical},
    {"high", Severity::critical},
    {"error", Severity::critical},
    {"p1", Severity::critical},
    {"p2", Severity::critical},
    {"sev1", Severity::critical},
    {"sev2", Severity::critical},
    {"major", Severity::critical},
    {"warning", Severity::warning},
    {"warn", Severity::warning},
    {"medium", Severity::warning},
    {"average", Severity::warning},
    {"minor", Severity::warning},
    {"p3", Severity::warning},
    {"info", Severity::info},
    {"informational", Severity::info},
    {"none", Severity::info},
    {"low", Severity::info},
    {"debug", Severity::info},
    {"p4", Severity::info},
    {"p5", Severity::info},
    {"notice", Severity::info},
}};

// Where a text of at most that many bytes may end without cutting a character in two.
std::size_t whole_characters(std::string_view text, std::size_t bytes) {
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0U) == 0x80U) --bytes;
  return bytes;
}

}  // namespace

std::string_view to_text(Status status) {
  switch (status) {
    case Status::firing:
      return "firing";
    case Status::resolved:
      return "resolved";
    case Status::acknowledged:
      return "acknowledged";
  }
  return "firing";
}

std::string_view to_text(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::critical:
      return "critical";
  }
  return "warning";
}

Severity severity_from(std::string_view text) {
  const auto word = lower(text.substr(0, 40));
  for (const auto& [known, severity] : severity_words) {
    if (word == known) return severity;
  }
  return Severity::warning;
}

json::object to_json(const Alert& alert) {
  json::object labels;
  for (const auto& [name, value] : alert.labels) labels[name] = value;
  json::array links;
  for (const auto& link : alert.links) links.emplace_back(link);
  json::object out{{"source", alert.source},
                   {"fingerprint", alert.fingerprint},
                   {"status", to_text(alert.status)},
                   {"severity", to_text(alert.severity)},
                   {"name", alert.name},
                   {"labels", std::move(labels)},
                   {"summary", alert.summary},
                   {"links", std::move(links)}};
  if (alert.starts) out["starts"] = to_rfc3339(*alert.starts);
  if (alert.ends) out["ends"] = to_rfc3339(*alert.ends);
  if (!alert.value.empty()) out["value"] = alert.value;
  return out;
}

std::string plain(std::string_view text, std::size_t bytes_max) {
  // A replaced byte grows to three: what is cut before that stays near the bound.
  const bool cut = text.size() > bytes_max;
  auto out = to_valid_utf8(text.substr(0, cut ? bytes_max : text.size()));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  // U+2028, U+2029 and the marks that turn text around would break a line or hide one.
  for (const std::string_view bad : {"\u2028", "\u2029", "\u202e", "\u202d", "\u2066", "\u2067"}) {
    for (auto at = out.find(bad); at != std::string::npos; at = out.find(bad, at)) {
      out.replace(at, bad.size(), " ");
    }
  }
  if (out.size() > bytes_max) out.resize(whole_characters(out, bytes_max));
  while (out.ends_with(' ')) out.pop_back();
  if (cut) {
    while (out.ends_with("\ufffd")) out.resize(out.size() - 3);
    out += "...";
  }
  return out;
}

std::string marked(std::string_view text, std::size_t bytes_max) {
  std::string out;
  for (const char c : plain(text, bytes_max)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '@':  // a mention would call somebody
        out += "&#64;";
        break;
      case '`':
      case '*':
      case '_':
      case '[':
      case ']':
      case '\\':
      case '|':
      case '#':
      case '!':
      case '~':
        out += '\\';
        out += c;
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string to_text(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ", ", name, value);
  }
  return out;
}

}  // namespace vigil::entities::ops
