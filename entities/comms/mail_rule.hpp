#pragma once
// Rules over mails, as the configuration has them, in the manner of Sieve (RFC 5228). Pure.
#include <memory>
#include <string>
#include <vector>

#include "config/comms.hpp"
#include "core/error.hpp"
#include "core/json.hpp"

namespace re2 {
class RE2;
}

namespace vigil::entities::comms {

// A text with `*`, or "~" and an expression; upper and lower case are the same.
class Pattern {
 public:
  static Result<Pattern> make(const std::string& text);
  bool matches(std::string_view text) const;

 private:
  std::shared_ptr<const re2::RE2> form_;
};
using Patterns = std::vector<Pattern>;

struct MailRule {
  config::CommsRule settings;
  Patterns from, to, list, subject, attachment;
  std::vector<std::pair<std::string, Pattern>> headers;
};
Result<MailRule> make_mail_rule(const config::CommsRule& settings);

// What is known of a mail beside its data.
struct MailView {
  const json::value& data;
  std::string auth;      // pass, fail, none
  std::string of_class;  // empty: not known
};
bool matches(const MailRule& rule, const MailView& mail);

// Those that apply, in their order, up to one that stops.
std::vector<const MailRule*> rules_for(const std::vector<MailRule>& rules, const MailView& mail);

}  // namespace vigil::entities::comms
