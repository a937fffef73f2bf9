#include "daemon/delivery/program.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "core/timeout.hpp"
#include "swarm/conversation.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

constexpr Duration grace = std::chrono::seconds{2};            // between TERM and KILL
constexpr Duration patience = std::chrono::milliseconds{500};  // for pipes that outlive it
constexpr std::size_t output_bytes_max = 64 * 1024;

struct Ending {
  swarm::ChildExit exit;
  bool in_time = true;
  bool cancelled = false;
};

// Never throws: a cancellation is told in the answer, so that the pipes can be closed in order.
asio::awaitable<Ending> wait_or_stop(Clock& clock, swarm::Child& child, TimePoint deadline) {
  Ending ending;
  try {
    auto waiting = child.wait();
    auto limited = with_timeout(clock, deadline - clock.now(), std::move(waiting));
    Result<swarm::ChildExit> exit = co_await std::move(limited);
    ending.in_time = exit.has_value();
    if (exit) ending.exit = *exit;
  } catch (const boost::system::system_error&) {
    ending.cancelled = true;
  }
  if (ending.in_time && !ending.cancelled) co_return ending;
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto stopping = child.stop(clock, grace);
  swarm::ChildExit exit = co_await std::move(stopping);
  ending.exit = exit;
  co_return ending;
}

}  // namespace

asio::awaitable<ProgramEnd> run_program(asio::any_io_executor executor, Clock& clock,
                                        swarm::ChildSpec spec, std::string input,
                                        Duration timeout) {
  ProgramEnd end;
  auto started = swarm::Child::start(executor, spec);
  if (!started) {
    end.not_started = started.error();
    co_return end;
  }
  auto child = std::move(*started);
  swarm::Conversation talk(executor, child, output_bytes_max, nullptr);
  talk.begin(std::move(input));
  auto waiting = wait_or_stop(clock, child, clock.now() + timeout);
  Ending ending = co_await std::move(waiting);
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto closing = talk.end(clock, patience);
  co_await std::move(closing);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (ending.cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  end.exit = ending.exit;
  end.in_time = ending.in_time;
  end.output = talk.output;
  end.errors = talk.errors;
  co_return end;
}

}  // namespace vigil::delivery
