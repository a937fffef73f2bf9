#include "daemon/runtime/bulletin.hpp"

#include <boost/asio/error.hpp>
#include <boost/json/object.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <deque>
#include <vector>

#include "core/bell.hpp"
#include "core/time.hpp"

namespace vigil::runtime {

constexpr std::size_t kept_items_max = 1'000;

struct Bulletin::Listener::State {
  explicit State(boost::asio::any_io_executor executor) : bell(std::move(executor)) {}
  std::deque<json::object> items;
  std::int64_t lost = 0;
  bool closed = false;
  Bell bell;
};

struct Bulletin::Board {
  boost::asio::any_io_executor executor;
  std::vector<std::weak_ptr<Listener::State>> listeners;
};

Bulletin::Bulletin(boost::asio::any_io_executor executor)
    : board_(std::make_shared<Board>(Board{std::move(executor), {}})) {}

Bulletin::~Bulletin() = default;

void Bulletin::post(const std::string& topic, const std::function<json::object()>& make) {
  std::erase_if(board_->listeners, [](const auto& listener) { return listener.expired(); });
  if (board_->listeners.empty()) return;
  json::object item;
  item["topic"] = topic;
  item["at"] = to_rfc3339(std::chrono::floor<Duration>(std::chrono::system_clock::now()));
  for (auto& [key, value] : make()) item[key] = std::move(value);
  for (const auto& weak : board_->listeners) {
    const auto listener = weak.lock();
    if (!listener) continue;
    if (listener->items.size() >= kept_items_max) {
      listener->items.pop_front();
      ++listener->lost;
    }
    listener->items.push_back(item);
    listener->bell.ring();
  }
}

Bulletin::Listener Bulletin::listen() {
  auto state = std::make_shared<Listener::State>(board_->executor);
  board_->listeners.push_back(state);
  return Listener(std::move(state));
}

void Bulletin::close() {
  for (const auto& weak : board_->listeners) {
    if (const auto listener = weak.lock()) {
      listener->closed = true;
      listener->bell.ring();
    }
  }
}

Bulletin::Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}
Bulletin::Listener::Listener(Listener&&) noexcept = default;
Bulletin::Listener::~Listener() = default;

boost::asio::awaitable<json::object> Bulletin::Listener::next() {
  auto state = state_;  // the listener may be moved while we wait
  while (state->items.empty()) {
    if (state->closed) throw boost::system::system_error(boost::asio::error::operation_aborted);
    co_await state->bell.wait();
  }
  json::object item = std::move(state->items.front());
  state->items.pop_front();
  if (state->lost > 0) item["lost"] = std::exchange(state->lost, 0);
  co_return item;
}

}  // namespace vigil::runtime
