#include "entities/codebase/secrets.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "core/digest.hpp"
#include "entities/codebase/paths.hpp"
#include "entities/codebase/secret_rules.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t line_bytes_max =
    4096;  // longer ones are data or minified: their start is read
constexpr std::string_view assigned = "assigned-secret";

const std::vector<std::unique_ptr<RE2>>& patterns() {
  static const auto compiled = [] {
    std::vector<std::unique_ptr<RE2>> all;
    for (const auto& rule : secret_rules()) {
      all.push_back(
          std::make_unique<RE2>(re2::StringPiece(rule.pattern.data(), rule.pattern.size())));
    }
    return all;
  }();
  return compiled;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

bool has_keyword(std::string_view line, std::string_view keywords) {
  while (!keywords.empty()) {
    const auto comma = keywords.find(',');
    if (line.find(keywords.substr(0, comma)) != std::string_view::npos) return true;
    if (comma == std::string_view::npos) return false;
    keywords.remove_prefix(comma + 1);
  }
  return false;
}

// People can say of a line that it is no secret, with the words other scanners know too.
bool is_allowed(std::string_view line) {
  for (const std::string_view mark :
       {"vigil:allow", "gitleaks:allow", "pragma: allowlist secret", "trufflehog:ignore",
        "pragma: whitelist secret", "ggignore", "secretlint-disable"}) {
    if (line.find(mark) != std::string_view::npos) return true;
  }
  return false;
}

// A word that people wrote is in one case, but for its first letter; "bytoDoag" holds no todo.
bool holds_word(std::string_view text, std::string_view lowered, std::string_view word) {
  for (auto at = lowered.find(word); at != std::string_view::npos;
       at = lowered.find(word, at + 1)) {
    const auto rest = text.substr(at + 1, word.size() - 1);
    const auto has = [&](char from, char to) {
      return std::ranges::any_of(rest, [&](char c) { return c >= from && c <= to; });
    };
    if (!has('A', 'Z') || !has('a', 'z')) return true;
  }
  return false;
}

bool is_sequence(std::string_view text) {
  int steps = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const int step = text[i] - text[i - 1];
    steps += step == 1 || step == 0 ? 1 : 0;
  }
  return steps * 3 >= static_cast<int>(text.size()) * 2;
}

// The guesses of the last rule need more than a name beside them: both letters and digits, and no
// words, paths, calls or references.
bool looks_random(std::string_view text) {
  int digits = 0;
  int letters = 0;
  int others = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    digits += digit ? 1 : 0;
    letters += letter ? 1 : 0;
    others += digit || letter ? 0 : 1;
  }
  if (digits < 2 || letters < 2 || others * 4 > static_cast<int>(text.size())) return false;
  if (text.find_first_of("(){}[]<>$%;,*?\\|&") != std::string_view::npos) return false;
  if (text.starts_with("http") || text.starts_with("/") || text.starts_with("./") ||
      text.starts_with("arn:"))
    return false;
  if (text.find("://") != std::string_view::npos) return false;
  // Names made of words: every stretch between marks is letters, or digits alone.
  static const RE2 words(R"((?:[A-Za-z]+\d{0,3}|\d+)(?:[_\-.:/@+ ](?:[A-Za-z]*\d{0,3}|\d+))*)");
  return !RE2::FullMatch(re2::StringPiece(text.data(), text.size()), words);
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// Files of settings write values without quotes; in code the same would be a name.
bool is_settings(std::string_view path) {
  constexpr std::array<std::string_view, 12> known{"env",  "ini",  "cfg",    "conf",
                                                   "cnf",  "toml", "tfvars", "properties",
                                                   "yaml", "yml",  "config", "envrc"};
  const auto name = file_name(path);
  return name.starts_with(".env") || name.starts_with(".npmrc") || name.starts_with(".pypirc") ||
         std::ranges::find(known, extension_of(path)) != known.end();
}

bool is_believable(const SecretRule& rule, std::string_view secret, std::string_view path) {
  if (is_placeholder(secret)) return false;
  // Few characters, or of few kinds, cannot say as much as others.
  const bool narrow = is_hex(secret) || secret.size() < 20;
  const auto least = narrow ? rule.entropy_min * 0.8 : rule.entropy_min;
  if (least > 0 && entropy_of(secret) < least) return false;
  if (rule.name == "private-key") return true;
  if (rule.name == assigned) {
    return looks_random(secret) && !is_generated(path) && !is_test(path);
  }
  if (rule.name == "exported-secret") {
    return looks_random(secret) && !is_generated(path) && !is_test(path);
  }
  if (rule.name == "setting-secret") {
    return is_settings(path) && looks_random(secret) && !is_generated(path) && !is_test(path);
  }
  if (rule.name == "password-in-address") {
    return secret.find_first_of("${}()*%") == std::string_view::npos &&
           (!is_test(path) && !is_prose(path));
  }
  return true;
}

// In tests and prose a key is more often made up than lost; what has a live form stays serious.
Severity weighed(Severity severity, std::string_view path) {
  if (severity < Severity::medium || (!is_test(path) && !is_prose(path))) return severity;
  return static_cast<Severity>(static_cast<int>(severity) - 1);
}

bool overlaps(const std::vector<SecretHit>& hits, std::string_view secret) {
  return std::ranges::any_of(hits, [&](const SecretHit& hit) {
    return hit.secret.find(secret) != std::string::npos ||
           secret.find(hit.secret) != std::string_view::npos;
  });
}

// A password that people chose could be guessed from a digest of it: the rest of the line stands
// for it.
std::string without(std::string line, const std::string& secret) {
  const auto at = line.find(secret);
  return at == std::string::npos ? line : line.erase(at, secret.size());
}

}  // namespace

double entropy_of(std::string_view text) {
  std::array<int, 256> counts{};
  for (const char c : text) ++counts.at(static_cast<unsigned char>(c));
  double bits = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

bool is_placeholder(std::string_view text) {
  const auto word = lower(text);
  for (const std::string_view part :
       {"example",  "changeme", "change_me",  "change-me",    "placeholder", "dummy",
        "your",     "xxxx",     "0000000",    "1234567890",   "abcdef0123",  "abcdefgh",
        "deadbeef", "redacted", "notasecret", "not-a-secret", "sample",      "fake",
        "insert",   "replace",  "todo",       "password",     "secret_here", "foobar",
        "lorem",    "****",     "....",       "${",           "{{",          "<%",
        "%(",       "$("}) {
    if (holds_word(text, word, part)) return true;
  }
  return (text.starts_with('<') && text.ends_with('>')) || is_sequence(text);
}

std::string masked(std::string_view secret) {
  const auto shown = std::min<std::size_t>(4, secret.size() / 4);
  return fmt::format("{}… ({} characters)", one_line(secret.substr(0, shown)), secret.size());
}

std::vector<SecretHit> secrets_in_line(std::string_view line, std::string_view path) {
  std::vector<SecretHit> hits;
  line = line.substr(0, line_bytes_max);
  const auto lowered = lower(line);
  if (is_allowed(lowered)) return hits;
  const auto rules = secret_rules();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& rule = rules[i];
    if (!has_keyword(lowered, rule.keywords)) continue;
    if (rule.name == "private-key" && is_prose(path)) continue;
    re2::StringPiece rest(line.data(), line.size());
    re2::StringPiece found;
    while (RE2::FindAndConsume(&rest, *patterns()[i], &found)) {
      const std::string_view secret(found.data(), found.size());
      if (!is_believable(rule, secret, path) || overlaps(hits, secret)) continue;
      const bool whole = rule.name == "private-key" || rule.name == "password-in-address";
      SecretHit hit{std::string(rule.name), std::string(secret), weighed(rule.severity, path), {}};
      hit.title = whole ? std::string(rule.what) : fmt::format("{}: {}", rule.what, masked(secret));
      hits.push_back(std::move(hit));
    }
  }
  return hits;
}

std::vector<Finding> find_secrets(const Diff& diff) {
  std::vector<Finding> out;
  for (const auto& file : diff.files) {
    if (file.new_path.empty()) continue;
    for (const auto& line : file.added) {
      for (auto& hit : secrets_in_line(line.text, file.new_path)) {
        Finding finding;
        finding.analyser = "secrets";
        finding.rule = hit.rule;
        finding.severity = hit.severity;
        finding.path = file.new_path;
        finding.line = line.number;
        finding.title = std::move(hit.title);
        finding.hint = "revoke it where it was issued: it stays readable in the history";
        // The key says nothing about the secret: it goes to places where many can read it.
        const bool guessable = hit.rule == "password-in-address";
        finding.key = finding_key("secrets", hit.rule, file.new_path,
                                  guessable ? without(line.text, hit.secret) : hit.secret);
        out.push_back(std::move(finding));
      }
    }
  }
  return out;
}

}  // namespace vigil::entities::codebase
