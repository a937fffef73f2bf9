#pragma once
// Makes events of what a look at a mailbox came to, and stores them with what is remembered of it,
// step by step: after a crash the rest is found again. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "daemon/ingress/mail_reading.hpp"
#include "daemon/ingress/mailbox.hpp"
#include "daemon/ingress/noticed.hpp"

namespace vigil::ingress {

// A message as far as it is read.
struct RawMail {
  std::string text;
  std::uint64_t bytes = 0;  // of the whole
};
// Nothing: it is gone meanwhile.
using FetchRaw = std::function<boost::asio::awaitable<Result<std::optional<RawMail>>>(MailChange)>;

class MailTelling {
 public:
  struct Ground {
    const std::string& source;
    Clock& clock;
    const ReadMail& read;
    const AcceptNoticed& accept;
    const bool& dismissed;  // a cancellation while something is stored would go unheard
  };
  // All of it must outlive the telling. `place` says where a change happened.
  MailTelling(Ground ground, FetchRaw fetch, std::function<MailPlace(const MailChange&)> place)
      : ground_(ground), fetch_(std::move(fetch)), place_(std::move(place)) {}

  // What is known without having been told; `anew`: and nothing else is.
  enum class Memory { goes_on, anew };
  boost::asio::awaitable<Result<void>> remember(std::vector<SeenChange> seen, Memory memory);
  boost::asio::awaitable<Result<void>> tell(std::vector<MailChange> changes);
  // What tells the next look that this one was whole.
  boost::asio::awaitable<Result<void>> finish(std::vector<SeenChange> seen);

  std::uint64_t told() const { return told_; }
  // Something is perhaps on its way from one folder to another: look again soon.
  bool misses() const { return misses_; }

 private:
  struct Step {  // one commit
    Noticed noticed;
    std::vector<SeenChange> seen;
    std::size_t bytes = 0;
  };
  boost::asio::awaitable<Result<void>> store(Step step, Memory memory);
  boost::asio::awaitable<Result<void>> add(MailChange change);
  boost::asio::awaitable<Result<json::object>> read(MailChange change);

  Ground ground_;
  FetchRaw fetch_;
  std::function<MailPlace(const MailChange&)> place_;
  Step step_;
  std::uint64_t told_ = 0;
  bool misses_ = false;
};

}  // namespace vigil::ingress
