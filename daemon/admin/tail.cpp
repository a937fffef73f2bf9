// News as server-sent events: what the bulletin posts, filtered. Nothing is kept for a listener
// that is away; one that is slow is told how much it lost.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/log.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/news.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

constexpr std::array<std::string_view, 5> topics{"event", "decision", "swarm", "task", "action"};
constexpr std::size_t remembered_swarms_max = 10'000;

Checked<std::vector<std::string>> topics_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = text.find(',');
    const auto word = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (word.empty()) continue;
    if (std::ranges::find(topics, word) == topics.end()) {
      return refuse(400, fmt::format("{} is no topic", quoted(word)),
                    "topics are: event,decision,swarm,task,action");
    }
    out.emplace_back(word);
  }
  return out;
}

// News of tasks name their swarm only: whose it is stands in the swarm's row.
class Owners {
 public:
  explicit Owners(const Desk& desk) : desk_(desk) {}
  void complete(json::object& item) {
    const auto* swarm = item.if_contains("swarm");
    if (swarm == nullptr || !swarm->is_int64() || item.contains("entity")) return;
    const auto id = swarm->get_int64();
    auto found = known_.find(id);
    if (found == known_.end()) {
      const auto row = desk_.reader().swarms.find(SwarmId{id});
      if (!row) return;
      if (known_.size() >= remembered_swarms_max) known_.clear();
      found = known_.emplace(id, std::pair(row->entity, row->case_key)).first;
    }
    item["entity"] = found->second.first;
    item["case"] = found->second.second;
  }

 private:
  const Desk& desk_;
  std::map<std::int64_t, std::pair<std::string, std::string>> known_;
};

asio::awaitable<void> send_news(const Desk& desk, NewsFilter filter,
                                std::shared_ptr<runtime::Bulletin::Listener> listener,
                                ingress::Send send) {
  Owners owners(desk);
  std::string hello = ": listening\n\n";
  auto greeting = send(std::move(hello));
  bool there = co_await std::move(greeting);
  while (there) {
    auto waiting = listener->next();
    json::object item = co_await std::move(waiting);
    owners.complete(item);
    if (!matches(filter, item)) continue;
    auto sending = send(sse_text(item));
    there = co_await std::move(sending);
  }
}

}  // namespace

Answer tail(Desk& desk, const Call& call) {
  NewsFilter filter;
  auto wanted = topics_of(call.text("topics"));
  if (!wanted) return std::unexpected(std::move(wanted.error()));
  filter.topics = std::move(*wanted);
  filter.entity = call.text("entity");
  filter.case_key = call.text("case");
  filter.source = call.text("source");
  filter.type = call.text("type");
  if (call.has("swarm")) {
    const auto swarm = parse_id(call.text("swarm"));
    if (!swarm) return refuse(400, "swarm= is not an id", "vigilctl swarms list shows the ids");
    filter.swarm = *swarm;
  }
  ingress::Response response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("Cache-Control", "no-store");
  // Listening begins here, before the answer's head is out: what happens after it is not missed.
  auto listener = std::make_shared<runtime::Bulletin::Listener>(desk.parts.bulletin.listen());
  response.stream = [&desk, filter = std::move(filter), listener](ingress::Send send) {
    return send_news(desk, filter, listener, std::move(send));
  };
  return response;
}

}  // namespace vigil::admin
