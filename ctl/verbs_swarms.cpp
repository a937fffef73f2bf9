// Plans by hand, and how swarms do over the days.
#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <filesystem>

#include "ctl/pages.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

constexpr std::size_t plan_bytes_max = 32 * 1024 * 1024;  // what the daemon takes

std::string name_of(const std::string& file) { return file == "-" ? "standard input" : safe(file); }

// "plan.json:3:17": where reading stopped, if the parser said so.
int tell_mistake(const std::string& file, std::string_view what, std::string_view hint) {
  print_error(fmt::format("vigilctl: {}: {}\n  {}\n", name_of(file), safe_lines(what), safe(hint)));
  return exit_failed;
}

std::expected<json::value, int> read_plan(const std::string& file) {
  const auto text = read_all(file);
  if (!text) return std::unexpected(tell(text.error()));
  if (text->size() > plan_bytes_max) {
    return std::unexpected(
        tell_mistake(file,
                     fmt::format("{} is more than a plan may have ({})",
                                 bytes_text(std::ssize(*text)), bytes_text(plan_bytes_max)),
                     "split it, or have a task list the items (for_each)"));
  }
  auto plan = parse_json(*text);
  if (!plan) {
    return std::unexpected(tell_mistake(
        file, plan.error().message,
        R"(a plan is JSON: {"tasks": [{"name": "hello", "argv": ["echo", "hello"]}]})"));
  }
  return std::move(*plan);
}

// What is wrong with the plan is told with the file it stands in; other refusals as they are.
std::expected<json::value, int> send_plan(const Session& session, const RunPlanArgs& args,
                                          json::value plan) {
  const json::value body = json::object{{"entity", args.entity}, {"plan", std::move(plan)}};
  const auto reply = session.client.ask("POST", "/v1/swarms", to_text(body));
  if (!reply) return std::unexpected(tell(reply.error()));
  const auto answer = parse_json(reply->body);
  if (reply->status < 400 && answer) return *answer;
  if (session.output == Output::json) print(reply->body);
  const bool is_mistake = reply->status == 400 || reply->status == 413;
  if (!is_mistake || !answer || !find_text(*answer, "error")) {
    return std::unexpected(tell_refusal(*reply));
  }
  return std::unexpected(
      tell_mistake(args.file, text_at(*answer, "error"), text_at(*answer, "hint")));
}

}  // namespace

int run_plan(const Session& session, const RunPlanArgs& args) {
  auto plan = read_plan(args.file);
  if (!plan) return plan.error();
  // Lists show titles: one without is found again by its file.
  if (auto* members = plan->if_object(); members != nullptr && args.file != "-") {
    members->emplace("title", std::filesystem::path(args.file).filename().string());
  }
  const auto answer = send_plan(session, args, std::move(*plan));
  if (!answer) return answer.error();
  const auto id = text_at(*answer, "id");
  if (session.output == Output::json) {
    print(args.watch ? to_text(*answer) + "\n" : session.json_text(*answer));
  } else {
    print(fmt::format("swarm {} is planned: {} for {}\n", id,
                      count_text(number_at(*answer, "tasks"), "task"), text_at(*answer, "entity")));
  }
  if (args.watch) return watch_swarms(session, id);
  if (session.output == Output::page) {
    print(
        fmt::format("  as it runs: vigilctl swarms watch {}\n"
                    "  afterwards: vigilctl swarms show {} --results\n",
                    id, id));
  }
  return exit_ok;
}

int show_trend(const Session& session, const TrendArgs& args) {
  Target target("/v1/swarms/trend");
  target.with("entity", args.entity)
      .with("days", args.days > 0 ? fmt::format("{}", args.days) : "");
  return session.get(target.text(), trend_page);
}

}  // namespace vigil::ctl
