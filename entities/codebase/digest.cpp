#include "entities/codebase/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>

#include "core/log.hpp"
#include "entities/codebase/build_memory.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/codebase/verdict.hpp"

namespace vigil::entities::codebase {
namespace {

using namespace std::chrono_literals;

constexpr int facts_max = 1000;
constexpr std::size_t rows_max = 10;
constexpr std::size_t runs_min = 10;  // of a command, before its growth is told
constexpr double growth_min = 1.2;
constexpr Duration first_span = 24h * 7;

std::string brief(std::string_view hash) { return std::string(hash.substr(0, 9)); }

// Foreign text in Markdown: it can neither call somebody nor form a link.
std::string code_span(std::string_view text) {
  std::string inside = one_line(text, 200);
  std::ranges::replace(inside, '`', '\'');
  return "`" + inside + "`";
}

std::int64_t integer_of(const json::value& value, std::string_view key) {
  return find_integer(value, key).value_or(0);
}
std::string text_of(const json::value& value, std::string_view key) {
  return std::string(find_text(value, key).value_or(""));
}

struct Section {
  std::string title;
  std::vector<std::string> rows;
};

class Digest {
 public:
  Digest(const Wake& wake, const Recollection& memory)
      : now_us_(to_unix_us(wake.now)), memory_(memory), before_(memory.case_state()) {
    since_us_ = integer_of(before_, "at_us");
    if (since_us_ == 0) since_us_ = now_us_ - std::chrono::microseconds(first_span).count();
  }

  std::vector<Section> sections() {
    std::vector<Section> all{reviews(), red_builds(), flaky(), growth(), upgrades(), dismissed()};
    std::erase_if(all, [](const Section& section) { return section.rows.empty(); });
    return all;
  }
  // What news is compared with next time. Made by sections().
  json::object state() const { return state_; }
  std::string since() const { return to_rfc3339(from_unix_us(since_us_)).substr(0, 10); }

 private:
  bool is_new(std::int64_t at_us) const { return at_us > since_us_; }

  Section reviews() {
    Section section{"Reviews", {}};
    json::object seen;
    const auto* old = find_path(before_, "repositories");
    for (const auto& fact : memory_.facts("repository:", facts_max)) {
      const auto reviews = integer_of(fact.value, "reviews");
      const auto findings = integer_of(fact.value, "findings");
      const auto* earlier =
          old != nullptr && old->is_object() ? old->get_object().if_contains(fact.key) : nullptr;
      const auto was = [&](std::string_view key) {
        return earlier == nullptr ? 0 : integer_of(*earlier, key);
      };
      seen[fact.key] = json::object{{"reviews", reviews}, {"findings", findings}};
      if (reviews == was("reviews")) continue;
      section.rows.push_back(
          fmt::format("{}: {} reviews, {} findings",
                      code_span(fact.key.substr(std::string("repository:").size())),
                      reviews - was("reviews"), findings - was("findings")));
    }
    state_["repositories"] = std::move(seen);
    return section;
  }

  Section red_builds() const {
    Section section{"Red builds", {}};
    std::vector<FailurePast> failures;
    for (const auto& fact : memory_.facts(std::string(failure_facts), facts_max)) {
      auto past = failure_past_from(fact.value);
      if (is_new(past.last_us) || is_new(past.ended_us)) failures.push_back(std::move(past));
    }
    std::ranges::sort(failures, std::ranges::greater{}, &FailurePast::count);
    for (const auto& past : failures) {
      if (section.rows.size() >= rows_max) break;
      auto row = fmt::format("{}: {}, {} time{}", code_span(past.command), code_span(past.title),
                             past.count, past.count == 1 ? "" : "s");
      if (!past.cause.empty()) row += ": " + code_span(past.cause);
      row += past.ended_us > past.last_us
                 ? fmt::format("; it ended with `{}`", brief(past.ended_commit))
                 : "; it was not seen to end";
      section.rows.push_back(std::move(row));
    }
    if (failures.size() > rows_max) {
      section.rows.push_back(fmt::format("and {} more", failures.size() - rows_max));
    }
    return section;
  }

  Section flaky() const {
    Section section{"Flaky tests", {}};
    std::vector<FlakyPast> tests;
    for (const auto& fact : memory_.facts(std::string(flaky_facts), facts_max)) {
      auto past = flaky_past_from(fact.value);
      if (is_new(past.last_us)) tests.push_back(std::move(past));
    }
    std::ranges::sort(tests, [](const FlakyPast& one, const FlakyPast& other) {
      return std::pair(one.commits, one.failed) > std::pair(other.commits, other.failed);
    });
    for (const auto& past : tests) {
      if (section.rows.size() >= rows_max) break;
      const auto name = past.test.empty() ? past.command : past.command + ": " + past.test;
      section.rows.push_back(fmt::format("{}: {}", code_span(name), to_sentence(past)));
    }
    return section;
  }

  // The newest third of the runs beside the oldest.
  Section growth() const {
    struct Row {
      double times;
      std::string text;
    };
    std::vector<Row> rows;
    for (const auto& fact : memory_.facts(std::string(command_facts), facts_max)) {
      const auto past = command_past_from(fact.value);
      if (!is_new(past.good_us)) continue;
      const auto name = fact.key.substr(command_facts.size());
      for (const auto& [test, timing] : past.timings) {
        if (timing.seconds.size() < runs_min) continue;
        const auto third = timing.seconds.size() / 3;
        const auto was = median(
            {timing.seconds.begin(), timing.seconds.begin() + static_cast<std::ptrdiff_t>(third)});
        const auto is = median(
            {timing.seconds.end() - static_cast<std::ptrdiff_t>(third), timing.seconds.end()});
        if (was <= 0 || is / was < growth_min || is - was < 0.1) continue;
        rows.push_back(
            {is / was, fmt::format("{}: {:.1f} s, {:.1f} times the {:.1f} s of {} runs ago",
                                   code_span(test.empty() ? name : name + ": " + test), is,
                                   is / was, was, timing.seconds.size())});
      }
    }
    std::ranges::sort(rows, std::ranges::greater{}, &Row::times);
    Section section{"What takes longer", {}};
    for (auto& row : rows) {
      if (section.rows.size() < rows_max) section.rows.push_back(std::move(row.text));
    }
    return section;
  }

  static double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
  }

  Section upgrades() const {
    Section section{"Open upgrades", {}};
    for (const auto& fact : memory_.facts("upgrade:", facts_max)) {
      if (text_of(fact.value, "state") != "open") continue;
      if (section.rows.size() < rows_max)
        section.rows.push_back(code_span(text_of(fact.value, "title")));
    }
    // They are open from week to week: by themselves no news.
    return section;
  }

  Section dismissed() {
    Section section{"Dismissed", {}};
    const auto count = static_cast<std::int64_t>(dismissed_keys(memory_).size());
    const auto more = count - integer_of(before_, "dismissed");
    state_["dismissed"] = count;
    if (more > 0) section.rows.push_back(fmt::format("{} findings were called noise", more));
    return section;
  }

  std::int64_t now_us_;
  std::int64_t since_us_ = 0;
  const Recollection& memory_;
  json::value before_;
  json::object state_;
};

}  // namespace

bool asks_for_digest(const Event& event) { return event.type.ends_with(".digest"); }

std::optional<Decision> decide_on_digest(const ReviewSetup& setup, const Wake& wake,
                                         const Recollection& memory) {
  if (wake.case_key != digest_case) return std::nullopt;
  Decision decision;
  decision.rule = "digest";
  decision.verdict = Verdict::noted;
  if (!std::holds_alternative<EventsArrived>(wake.because)) {
    decision.why = "the digest needs nothing more";
    return decision;
  }
  Digest digest(wake, memory);
  const auto sections = digest.sections();
  const bool news = std::ranges::any_of(
      sections, [](const Section& section) { return section.title != "Open upgrades"; });
  if (!news) {
    decision.why = fmt::format("nothing happened since {}: there is no digest", digest.since());
    return decision;
  }
  std::string body = fmt::format("### Since {}\n", digest.since());
  std::string text = fmt::format("Since {}", digest.since());
  for (const auto& section : sections) {
    body += fmt::format("\n**{}**\n\n", section.title);
    for (const auto& row : section.rows) body += fmt::format("- {}\n", row);
    text += fmt::format("\n{}:", section.title);
    for (auto row : section.rows) {
      std::erase(row, '`');
      text += fmt::format("\n  {}", row);
    }
  }
  auto state = digest.state();
  state["at_us"] = to_unix_us(wake.now);
  decision.state = std::move(state);
  decision.why = fmt::format("the digest since {} has {} parts", digest.since(), sections.size());
  decision.episodes.push_back({"digest", text, json::object{}});
  decision.documents.push_back({"digest:" + to_rfc3339(wake.now).substr(0, 10),
                                fmt::format("Digest since {}", digest.since()), body});
  if (setup.settings.digest_sink.empty()) return decision;
  Action action;
  action.kind = "digest";
  action.sink = setup.settings.digest_sink;
  action.payload = {{"body", body}, {"text", text}, {"since", digest.since()}};
  decision.actions.push_back(std::move(action));
  decision.verdict = Verdict::acted;
  return decision;
}

}  // namespace vigil::entities::codebase
