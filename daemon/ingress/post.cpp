#include "daemon/ingress/post.hpp"

#include <utility>

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

constexpr Duration sweep_first = std::chrono::minutes{15};
constexpr Duration sweep_every = std::chrono::hours{24};

}  // namespace

Post::Post(Ground ground)
    : clock_(ground.clock),
      reader_(ground.executor, ground.clock, std::move(ground.make_runner)),
      intake_(
          ground.executor, ground.clock, std::move(ground.raw_folder),
          [this](std::string raw) { return reader_.read(std::move(raw)); },
          std::move(ground.accept)),
      imap_(
          ground.executor, ground.clock,
          [this](std::string raw) { return reader_.read(std::move(raw)); }, ground.accept_noticed),
      maildirs_(
          ground.executor, ground.clock,
          [this](std::string raw) { return reader_.read(std::move(raw)); }, ground.accept_noticed),
      lmtp_(ground.executor, ground.clock, intake_),
      telegram_(ground.executor, ground.clock, std::move(ground.fetch), ground.accept_noticed),
      group_(ground.executor) {}
Post::~Post() = default;

Result<void> Post::apply(const config::Settings& settings) {
  if (auto taken = telegram_.apply(settings); !taken) return taken;
  if (auto taken = imap_.apply(settings); !taken) return taken;
  maildirs_.apply(settings);
  lmtp_.apply(settings);
  keep_ = settings.storage.events_keep;
  return {};
}

Result<void> Post::start(storage::Stores& reader) {
  if (auto listening = lmtp_.start(); !listening) return listening;
  imap_.start(reader);
  maildirs_.start(reader);
  telegram_.start(reader);
  group_.spawn("old raw messages", [this] { return keep_house(); });
  return {};
}

asio::awaitable<void> Post::keep_house() {
  co_await clock_.sleep_for(sweep_first);
  while (true) {
    if (keep_ > Duration{0}) {
      auto sweeping = intake_.sweep(clock_.now() - keep_);
      co_await std::move(sweeping);
    }
    co_await clock_.sleep_for(sweep_every);
  }
}

std::vector<SourceTrouble> Post::troubles() const {
  auto out = maildirs_.troubles();
  for (auto& one : telegram_.troubles()) out.push_back(std::move(one));
  for (auto& view : imap_.views()) {
    if (!view.trouble.empty()) out.push_back({std::move(view.source), std::move(view.trouble)});
  }
  return out;
}

asio::awaitable<void> Post::stop() {
  group_.cancel();
  co_await group_.join();
  auto taking = lmtp_.stop();
  co_await std::move(taking);
  auto chatting = telegram_.stop();
  co_await std::move(chatting);
  auto watching = maildirs_.stop();
  co_await std::move(watching);
  auto listening = imap_.stop();
  co_await std::move(listening);
}

}  // namespace vigil::ingress
