#include "swarm/conversation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "core/timeout.hpp"

namespace vigil::swarm {
namespace asio = boost::asio;

void ControlLines::take(std::string_view bytes, const std::function<void(json::object)>& said) {
  while (!bytes.empty()) {
    const auto newline = bytes.find('\n');
    const auto part = bytes.substr(0, newline);
    if (line_.size() + part.size() > line_bytes_max) {
      too_long_ = true;
      line_.clear();
    }
    if (!too_long_) line_.append(part);
    if (newline == std::string_view::npos) return;
    end_line(said);
    bytes.remove_prefix(newline + 1);
  }
}

void ControlLines::finish(const std::function<void(json::object)>& said) {
  if (!line_.empty() || too_long_) end_line(said);
}

void ControlLines::end_line(const std::function<void(json::object)>& said) {
  const bool is_blank = line_.find_first_not_of(" \t\r") == std::string::npos && !too_long_;
  if (is_blank) {
    line_.clear();
    return;
  }
  auto parsed = too_long_ || ++lines_ > lines_max
                    ? Result<json::value>(fail(ErrorCode::too_large, ""))
                    : parse_json(line_);
  line_.clear();
  too_long_ = false;
  if (!parsed || !parsed->is_object()) {
    ++ignored_;
    return;
  }
  if (said) said(std::move(parsed->as_object()));
}

Conversation::Conversation(asio::any_io_executor executor, Child& child,
                           std::size_t output_bytes_max, std::function<void(json::object)> said)
    : executor_(std::move(executor)),
      child_(child),
      output_bytes_max_(output_bytes_max),
      said_(std::move(said)),
      quiet_(executor_) {}

Conversation::~Conversation() { child_.hush(); }

void Conversation::begin(std::string input) {
  open_ = 3;
  child_.listen(Voice::output, [this](std::string_view bytes) { hear_output(bytes); });
  child_.listen(Voice::errors, [this](std::string_view bytes) { hear_errors(bytes); });
  child_.listen(Voice::control, [this](std::string_view bytes) { hear_control(bytes); });
  if (child_.write_at_once(input)) return;
  auto shared = std::make_shared<std::string>(std::move(input));
  sending_.emplace(executor_);
  sending_->spawn("input of a task", [this, shared] { return send(std::move(*shared)); });
}

asio::awaitable<void> Conversation::end(Clock& clock, Duration patience) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  child_.hear_rest();
  if (open_ > 0) {
    // A grandchild in a session of its own may keep a pipe open for as long as it likes.
    auto all = all_ended();
    auto ignored = co_await with_timeout(clock, patience, std::move(all));
    (void)ignored;  // late or not, what was said so far counts
  }
  are_held = open_ > 0;
  child_.hush();
  if (sending_) {
    sending_->cancel();
    co_await sending_->join();
  }
  control_.finish(said_);
  if (control_.ignored() > 0 && said_) {
    said_({{"note", fmt::format("{} lines on the control channel were ignored: each must be one "
                                "JSON object of at most {} bytes",
                                control_.ignored(), ControlLines::line_bytes_max)}});
  }
  said_ = nullptr;
}

asio::awaitable<void> Conversation::send(std::string input) {
  co_await child_.write(std::move(input));
  child_.close_input();
}

void Conversation::hear_output(std::string_view bytes) {
  if (bytes.empty()) return ended();
  const auto room = output_bytes_max_ - std::min(output.size(), output_bytes_max_);
  output.append(bytes, 0, room);
  output_cut_bytes += bytes.size() - std::min(room, bytes.size());
}

void Conversation::hear_errors(std::string_view bytes) {
  if (bytes.empty()) return ended();
  errors += bytes;
  if (errors.size() > errors_bytes_max) errors.erase(0, errors.size() - errors_bytes_max);
}

void Conversation::hear_control(std::string_view bytes) {
  if (bytes.empty()) return ended();
  // A copy: what is said may set off more than we know.
  control_.take(std::string(bytes), said_);
}

void Conversation::ended() {
  if (--open_ == 0) quiet_.ring();
}

asio::awaitable<int> Conversation::all_ended() {
  co_await quiet_.wait();
  co_return 0;
}

}  // namespace vigil::swarm
