#include "entities/comms/mail_rule.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

std::string text_at(const json::value& value, std::string_view name) {
  return std::string(find_text(value, name).value_or(""));
}

template <class Test>
bool any_in(const json::value& data, std::string_view member, Test test) {
  const auto* list = find_path(data, member);
  return list != nullptr && list->is_array() && std::ranges::any_of(list->get_array(), test);
}

bool any_of(const Patterns& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const Pattern& one) { return one.matches(text); });
}

bool is_person(const Patterns& patterns, const json::value& person) {
  const auto address = text_at(person, "address");
  return any_of(patterns, address) ||
         any_of(patterns, fmt::format("{} <{}>", text_at(person, "name"), address));
}

bool holds(const std::vector<std::string>& words, std::string_view word) {
  return words.empty() || std::ranges::find(words, word) != words.end();
}

Result<Patterns> make_patterns(std::string_view key, const std::vector<std::string>& texts) {
  Patterns out;
  for (const auto& text : texts) {
    auto one = Pattern::make(text);
    if (!one) return fail(one.error().code, fmt::format("{}: {}", key, one.error().message));
    out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace

Result<Pattern> Pattern::make(const std::string& text) {
  std::string form;
  if (text.starts_with('~')) {
    form = text.substr(1);
  } else {
    form = "\\A(?s:";
    std::string_view left = text;
    while (true) {
      const auto star = left.find('*');
      form += RE2::QuoteMeta(
          re2::StringPiece(left.substr(0, star).data(), std::min(star, left.size())));
      if (star == std::string_view::npos) break;
      form += ".*";
      left.remove_prefix(star + 1);
    }
    form += ")\\z";
  }
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  auto compiled = std::make_shared<RE2>(form, options);
  if (!compiled->ok()) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{} is no expression: {}", vigil::quoted(text), compiled->error()));
  }
  Pattern out;
  out.form_ = std::move(compiled);
  return out;
}

bool Pattern::matches(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *form_);
}

Result<MailRule> make_mail_rule(const config::CommsRule& settings) {
  MailRule out;
  out.settings = settings;
  struct List {
    std::string_view key;
    const std::vector<std::string>& texts;
    Patterns& to;
  };
  for (const auto& list :
       {List{"from", settings.from, out.from}, List{"to", settings.to, out.to},
        List{"list", settings.list, out.list}, List{"subject", settings.subject, out.subject},
        List{"attachment", settings.attachment, out.attachment}}) {
    auto made = make_patterns(list.key, list.texts);
    if (!made) return std::unexpected(made.error());
    list.to = std::move(*made);
  }
  for (const auto& [name, text] : settings.header) {
    auto made = make_patterns("header." + name, {text});
    if (!made) return std::unexpected(made.error());
    out.headers.emplace_back(lower_ascii(name), std::move(made->front()));
  }
  const auto known = [&](std::string_view key, const std::vector<std::string>& words,
                         std::initializer_list<std::string_view> all) -> Result<void> {
    for (const auto& word : words) {
      if (std::ranges::find(all, word) != all.end()) continue;
      return fail(ErrorCode::invalid_input, fmt::format("{}: {} is none of {}", key,
                                                        vigil::quoted(word), fmt::join(all, ", ")));
    }
    return {};
  };
  if (auto fine = known("kind", settings.kind,
                        {"person", "list", "bulk", "auto_reply", "bounce", "receipt"});
      !fine) {
    return std::unexpected(fine.error());
  }
  if (auto fine = known("auth", settings.auth, {"pass", "fail", "none"}); !fine) {
    return std::unexpected(fine.error());
  }
  return out;
}

bool matches(const MailRule& rule, const MailView& mail) {
  const auto& data = mail.data;
  const auto& asked = rule.settings;
  const auto person_in = [&](const Patterns& patterns, std::string_view member) {
    return any_in(data, member, [&](const auto& one) { return is_person(patterns, one); });
  };
  if (!rule.from.empty() && !person_in(rule.from, "from")) return false;
  if (!rule.to.empty() && !person_in(rule.to, "to") && !person_in(rule.to, "cc")) return false;
  if (!rule.list.empty() && !any_of(rule.list, text_at(data, "list.id"))) return false;
  if (!rule.subject.empty() && !any_of(rule.subject, text_at(data, "subject"))) return false;
  const auto* headers = find_path(data, "headers");
  for (const auto& [name, pattern] : rule.headers) {
    const auto* all = headers == nullptr ? nullptr : headers->if_object();
    const auto* value = all == nullptr ? nullptr : all->if_contains(name);
    if (value == nullptr || !value->is_string()) return false;
    if (!pattern.matches(std::string_view(value->get_string()))) return false;
  }
  const bool attached = any_in(data, "attachments", [&](const auto& one) {
    return any_of(rule.attachment, text_at(one, "name")) ||
           any_of(rule.attachment, text_at(one, "type"));
  });
  if (!rule.attachment.empty() && !attached) return false;
  const auto size = static_cast<std::size_t>(find_integer(data, "size").value_or(0));
  if (asked.size_above > 0 && size <= asked.size_above) return false;
  if (asked.size_below > 0 && size >= asked.size_below) return false;
  return holds(asked.kind, text_at(data, "kind")) && holds(asked.auth, mail.auth) &&
         holds(asked.in_class, mail.of_class);
}

std::vector<const MailRule*> rules_for(const std::vector<MailRule>& rules, const MailView& mail) {
  std::vector<const MailRule*> out;
  for (const auto& rule : rules) {
    if (!matches(rule, mail)) continue;
    out.push_back(&rule);
    if (rule.settings.stop) break;
  }
  return out;
}

}  // namespace vigil::entities::comms
