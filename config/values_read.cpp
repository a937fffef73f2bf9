#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <filesystem>
#include <limits>

#include "config/forms.hpp"
#include "config/values.hpp"

namespace vigil::config {
namespace {

constexpr std::array<std::string_view, 7> days{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::string range_text(const Spec& spec) {
  if (spec.most) return fmt::format("from {} to {}", spec.least, *spec.most);
  return fmt::format("of {} or more", spec.least);
}

void read_number(const Node& node, const Context& context, std::int64_t most, std::int64_t& to) {
  if (node.kind != Node::Kind::integer) return context.expected(node, "an integer");
  const Spec& spec = context.spec;
  if (node.integer < spec.least || node.integer > spec.most.value_or(most)) {
    return context.wrong(
        node, fmt::format("expected an integer {}, not {}", range_text(spec), node.integer));
  }
  to = node.integer;
}

std::string resolved(std::string_view text, const Problems& problems) {
  namespace fs = std::filesystem;
  const fs::path path(text);
  if (text.empty() || path.is_absolute()) return std::string(text);
  auto whole = (fs::path(problems.directory()) / path).lexically_normal().string();
  if (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  return whole;
}

bool has_zero_byte(std::string_view text) { return text.find('\0') != std::string_view::npos; }

void read_day(const Node& node, const Context& context, std::vector<int>& to) {
  const auto day = std::ranges::find(days, node.text);
  int number = 0;
  if (node.kind == Node::Kind::text && day != days.end()) {
    number = static_cast<int>(day - days.begin()) + 1;
  } else if (node.kind == Node::Kind::integer && node.integer >= 1 && node.integer <= 7) {
    number = static_cast<int>(node.integer);
  } else {
    return context.wrong(node, "expected days \"mon\" to \"sun\", or 1 (Monday) to 7 (Sunday)");
  }
  if (std::ranges::find(to, number) == to.end()) to.push_back(number);
}

void read_clock(const Node& node, const Context& context, int& to) {
  const auto minutes = parse_clock(node.kind == Node::Kind::text ? node.text : "");
  if (!minutes) return context.wrong(node, "expected a time of day like \"08:00\"");
  to = *minutes;
}

boost::json::value json_of(const Node& node, const Context& context) {
  switch (node.kind) {
    case Node::Kind::text:
    case Node::Kind::time:
      return boost::json::string(node.text);
    case Node::Kind::integer:
      return node.integer;
    case Node::Kind::boolean:
      return node.boolean;
    case Node::Kind::real:
      if (!std::isfinite(node.real)) context.wrong(node, "JSON has no such number");
      return std::isfinite(node.real) ? boost::json::value(node.real) : boost::json::value();
    case Node::Kind::list:
    case Node::Kind::table:
      break;
  }
  if (node.kind == Node::Kind::list) {
    boost::json::array array;
    for (const auto& item : node.items) array.push_back(json_of(item, context));
    return array;
  }
  boost::json::object object;
  for (const auto& member : node.items) object[member.key] = json_of(member, context);
  return object;
}

// `read_one` is given each item with the context of its place in the list.
template <class ReadOne>
void each_item(const Node& node, const Context& context, std::string_view what, ReadOne read_one) {
  if (node.kind != Node::Kind::list) return context.expected(node, what);
  const auto count = static_cast<std::int64_t>(node.items.size());
  if (count < context.spec.least) return context.wrong(node, "expected at least one item");
  if (context.spec.most && count > *context.spec.most) {
    return context.wrong(node, fmt::format("expected at most {} items", *context.spec.most));
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    read_one(node.items[i], context.below(fmt::format("[{}]", i)));
  }
}

template <class T>
void each_member(const Node& node, const Context& context, std::string_view what,
                 std::map<std::string, T>& to) {
  if (node.kind != Node::Kind::table) return context.expected(node, what);
  for (const auto& member : node.items) {
    if (const auto wrong = why_not(context.spec.form, member.key)) {
      context.problems.add(context.path + "." + member.key, member.key_place, *wrong);
      continue;
    }
    const Spec value{.name = member.key, .meaning = "", .least = context.spec.least};
    read(member, Context{value, context.path + "." + member.key, context.problems}, to[member.key]);
  }
}

}  // namespace

void Context::expected(const Node& at, std::string_view what) const {
  wrong(at, fmt::format("expected {}, not {}", what, describe_kind_of(at)));
}

void read(const Node& node, const Context& context, bool& to) {
  if (node.kind != Node::Kind::boolean) return context.expected(node, "true or false");
  to = node.boolean;
}

void read(const Node& node, const Context& context, int& to) {
  if (context.spec.form == Form::clock) return read_clock(node, context, to);
  std::int64_t value = to;
  read_number(node, context, std::numeric_limits<int>::max(), value);
  to = static_cast<int>(value);
}

void read(const Node& node, const Context& context, std::int64_t& to) {
  read_number(node, context, std::numeric_limits<std::int64_t>::max(), to);
}

void read(const Node& node, const Context& context, double& to) {
  if (node.kind == Node::Kind::integer) {
    to = static_cast<double>(node.integer);
  } else if (node.kind == Node::Kind::real && std::isfinite(node.real)) {
    to = node.real;
  } else {
    context.expected(node, "a number");
  }
}

void read(const Node& node, const Context& context, std::size_t& to) {
  constexpr std::string_view what = "a size like \"25MiB\", or a number of bytes";
  std::int64_t bytes = node.integer;
  if (node.kind == Node::Kind::text) {
    const auto size = parse_size(node.text);
    if (!size) return context.wrong(node, fmt::format("expected {}, not \"{}\"", what, node.text));
    bytes = *size;
  } else if (node.kind != Node::Kind::integer) {
    return context.expected(node, what);
  }
  const Spec& spec = context.spec;
  if (bytes < spec.least) {
    return context.wrong(node, fmt::format("expected at least {}", size_text(spec.least)));
  }
  const std::int64_t most = spec.most.value_or(size_bytes_max);
  if (bytes > most) {
    return context.wrong(node, fmt::format("expected at most {}", size_text(most)));
  }
  to = static_cast<std::size_t>(bytes);
}

void read(const Node& node, const Context& context, Duration& to) {
  constexpr std::string_view what = "a duration like \"5m\", \"250ms\" or \"1h30m\"";
  Duration value{0};
  if (node.kind == Node::Kind::text) {
    const auto parsed = parse_duration(node.text);
    if (!parsed) {
      return context.wrong(node, fmt::format("expected {}, not \"{}\"", what, node.text));
    }
    value = *parsed;
  } else if (node.kind == Node::Kind::integer && node.integer != 0) {
    return context.wrong(node, fmt::format("expected {}: {} of what? Write \"{}s\" for seconds",
                                           what, node.integer, node.integer));
  } else if (node.kind != Node::Kind::integer) {  // a bare 0 needs no unit
    return context.expected(node, what);
  }
  const Spec& spec = context.spec;
  if (value < Duration{spec.least}) {
    return context.wrong(node,
                         fmt::format("expected at least \"{}\"", exact_text(Duration{spec.least})));
  }
  if (spec.most && value > Duration{*spec.most}) {
    return context.wrong(node,
                         fmt::format("expected at most \"{}\"", exact_text(Duration{*spec.most})));
  }
  to = value;
}

void read(const Node& node, const Context& context, TimePoint& to) {
  const bool spelled = node.kind == Node::Kind::time || node.kind == Node::Kind::text;
  const auto parsed = parse_rfc3339(spelled ? node.text : "");
  if (!parsed) {
    return context.wrong(
        node, "expected a moment with its offset from UTC, like 2026-12-24T18:00:00+01:00");
  }
  to = *parsed;
}

void read(const Node& node, const Context& context, std::string& to) {
  const Spec& spec = context.spec;
  if (!spec.choices.empty()) {
    const auto choice = read_choice(node, context, spec.choices);
    if (choice) to = spec.choices[*choice];
    return;
  }
  if (node.kind != Node::Kind::text) return context.expected(node, "a text in quotes");
  if (has_zero_byte(node.text)) return context.wrong(node, "a text must not hold a zero byte");
  if (node.text.empty()) {
    if (spec.presence == Presence::required) {
      return context.wrong(node, "must not be empty");
    }
    to.clear();
    return;
  }
  if (const auto wrong = why_not(spec.form, node.text)) return context.wrong(node, *wrong);
  to = spec.form == Form::path ? resolved(node.text, context.problems) : node.text;
}

void read(const Node& node, const Context& context, SecretRef& to) {
  if (node.kind != Node::Kind::text) {
    return context.expected(node, "a reference like \"file:PATH\" or \"cred:NAME\"");
  }
  auto ref = parse_secret_ref(node.text);
  if (!ref) return context.wrong(node, ref.error().message);
  constexpr std::string_view file = "file:";
  if (ref->text.starts_with(file)) {
    const std::string_view path = std::string_view(ref->text).substr(file.size());
    ref->text = std::string(file) + resolved(path, context.problems);
  }
  to = std::move(*ref);
}

void read(const Node& node, const Context& context, std::vector<std::string>& to) {
  const Spec& spec = context.spec;
  const bool is_argv = spec.form == Form::program || spec.form == Form::argv;
  const std::string_view what =
      is_argv ? "a list like [\"program\", \"argument\"] (there is no shell to split a line)"
              : "a list of texts like [\"one\", \"two\"]";
  to.clear();
  each_item(node, context, what, [&](const Node& item, const Context& at) {
    if (item.kind != Node::Kind::text) return at.expected(item, "a text in quotes");
    if (has_zero_byte(item.text)) return at.wrong(item, "a text must not hold a zero byte");
    if (item.text.empty() && (!is_argv || to.empty())) return at.wrong(item, "must not be empty");
    if (const auto wrong = why_not(spec.form, item.text)) return at.wrong(item, *wrong);
    const bool is_path = spec.form == Form::path ||
                         (spec.form == Form::program && to.empty() &&
                          item.text.find('/') != std::string::npos && !item.text.starts_with("{{"));
    to.push_back(is_path ? resolved(item.text, at.problems) : item.text);
  });
}

void read(const Node& node, const Context& context, std::vector<SecretRef>& to) {
  to.clear();
  each_item(node, context, "a list of references like [\"file:PATH\"]",
            [&](const Node& item, const Context& at) { read(item, at, to.emplace_back()); });
  std::erase(to, SecretRef{});  // what could not be read was reported
}

void read(const Node& node, const Context& context, std::vector<int>& to) {
  to.clear();
  each_item(node, context, "a list of days like [\"mon\", \"fri\"]",
            [&](const Node& item, const Context& at) { read_day(item, at, to); });
  std::ranges::sort(to);
}

void read(const Node& node, const Context& context, boost::json::object& to) {
  if (node.kind != Node::Kind::table) return context.expected(node, "a table like { key = 1 }");
  to = json_of(node, context).as_object();
}

void read(const Node& node, const Context& context, std::map<std::string, std::string>& to) {
  each_member(node, context, "a table of texts like { name = \"value\" }", to);
}

void read(const Node& node, const Context& context, std::map<std::string, int>& to) {
  each_member(node, context, "a table of integers like { name = 2 }", to);
}

void read(const Node& node, const Context& context, std::map<std::string, SecretRef>& to) {
  each_member(node, context, "a table of references to secrets", to);
}

void read(const Node& node, const Context& context, std::map<std::string, Autonomy>& to) {
  each_member(node, context, "a table like { comment = \"act\" }", to);
}

std::optional<std::size_t> read_choice(const Node& node, const Context& context,
                                       std::span<const std::string_view> words) {
  const auto found = std::ranges::find(words, node.text);
  if (node.kind == Node::Kind::text && found != words.end()) {
    return static_cast<std::size_t>(found - words.begin());
  }
  if (node.kind != Node::Kind::text) {
    context.expected(node, one_of(words));
    return std::nullopt;
  }
  const auto hint = suggestion(node.text, {words.begin(), words.end()});
  context.wrong(node, fmt::format("expected {}, not \"{}\"{}", one_of(words), node.text, hint));
  return std::nullopt;
}

}  // namespace vigil::config
