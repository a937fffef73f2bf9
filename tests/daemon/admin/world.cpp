#include "tests/daemon/admin/world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <stdexcept>

#include "core/digest.hpp"
#include "tests/support/places.hpp"

namespace vigil::testing {
namespace asio = boost::asio;

AdminWorld::AdminWorld(const std::string& toml)
    : path_(std::filesystem::temp_directory_path() / ("vigild-admin-" + random_hex(8))) {
  on_disk = config::load_text(toml, "vigild.toml");
  const auto* loaded = std::get_if<config::Loaded>(&on_disk);
  if (loaded == nullptr) {
    throw std::runtime_error(std::get<std::vector<config::Diagnostic>>(on_disk).front().to_text());
  }
  settings_ = loaded->settings;
  storage::WriterOptions options;
  options.state_dir = path_;
  options.free_bytes_min = 0;
  options.ballast_bytes = 0;
  options.sync = false;
  auto opened = storage::Writer::open(options);
  if (!opened) throw std::runtime_error(opened.error().message);
  writer_ = std::move(*opened);
  const auto executor = loop_.get_executor();
  writer_->start(executor, [](const std::string& why) { throw std::runtime_error(why); });
  runtime_ = std::make_unique<runtime::Runtime>(executor, *clock_, *writer_, bulletin_,
                                                runtime::Places{path_, bin_dir()});
  if (auto applied = runtime_->apply(settings_); !applied) {
    throw std::runtime_error(applied.error().message);
  }
  accept_ = [this](storage::NewEvent event, json::value data) {
    return accept(std::move(event), std::move(data));
  };
  door_ = std::make_unique<ingress::Door>(*clock_, accept_);
  scheduler_ = std::make_unique<ingress::Scheduler>(executor, *clock_, *writer_, accept_,
                                                    [](const std::string&) { return false; });
  if (auto applied = scheduler_->apply(settings_); !applied) {
    throw std::runtime_error(applied.error().message);
  }
  courier_ =
      std::make_unique<delivery::Courier>(executor, *clock_, *writer_, [](storage::Settled) {});
  api_ = std::make_unique<admin::Api>(parts());
  bool started = false;
  group_.spawn("start", [this, &started]() -> asio::awaitable<void> {
    auto starting = runtime_->start();
    Result<void> done = co_await std::move(starting);
    if (!done) throw std::runtime_error(done.error().message);
    started = true;
  });
  until([&] { return started; });
}

AdminWorld::~AdminWorld() {
  bool stopped = false;
  group_.cancel();
  until([this] { return group_.size() == 0; });
  group_.spawn("stop", [this, &stopped]() -> asio::awaitable<void> {
    auto stopping = runtime_->stop(clock_->now() + std::chrono::seconds{5});
    co_await std::move(stopping);
    stopped = true;
  });
  until([&] { return stopped && group_.size() == 0; });
  writer_->stop();
  api_.reset();
  runtime_.reset();
  writer_.reset();
  std::filesystem::remove_all(path_);
}

admin::Parts AdminWorld::parts() {
  return {.executor = loop_.get_executor(),
          .clock = *clock_,
          .writer = *writer_,
          .runtime = *runtime_,
          .bulletin = bulletin_,
          .door = *door_,
          .scheduler = *scheduler_,
          .webhooks = nullptr,
          .courier = *courier_,
          .accept = accept_,
          .reload =
              [this] {
                reloaded = true;
                return on_disk;
              },
          .read_config = [this] { return on_disk; },
          .settings = [this]() -> const config::Settings& { return settings_; },
          .poke = [](const std::string& source) { return source == "repo"; },
          .started = clock_->now(),
          .state_dir = path_};
}

asio::awaitable<Result<storage::Appended>> AdminWorld::accept(storage::NewEvent event,
                                                              json::value data) {
  auto change = [event](storage::Stores& stores) { return stores.journal.append(event); };
  auto committing = writer_->commit(std::move(change));
  Result<storage::Appended> appended = co_await std::move(committing);
  if (appended && !appended->duplicate) {
    auto stored = std::make_shared<Event>();
    stored->id = appended->id;
    stored->uid = event.uid;
    stored->source = event.source;
    stored->type = event.type;
    stored->subject = event.subject;
    stored->time = event.time;
    stored->received_at = event.received_at;
    stored->taint = event.taint;
    stored->data = std::move(data);
    runtime_->accepted(std::move(stored));
  }
  co_return appended;
}

Told AdminWorld::ask(const std::string& method, const std::string& target, const std::string& body,
                     int uid) {
  ingress::Request request;
  request.method = method;
  request.target = target;
  request.body = body;
  request.peer.uid = uid;
  Told told;
  bool answered = false;
  group_.spawn("ask", [&, request]() -> asio::awaitable<void> {
    auto handling = api_->handle(request);
    told.response = co_await std::move(handling);
    answered = true;
  });
  until([&] { return answered; });
  told.status = told.response.status;
  if (auto value = parse_json(told.response.body)) told.body = std::move(*value);
  return told;
}

void AdminWorld::until(const std::function<bool()>& holds) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!holds()) {
    loop_.restart();
    loop_.run_one_for(std::chrono::milliseconds{50});
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("waited in vain");
  }
}

void AdminWorld::settle() {
  until([this] {
    const auto status = runtime_->status();
    return status.unrouted == 0 && status.wakes_open == 0 && status.swarms_running == 0;
  });
}

std::int64_t AdminWorld::emit(const std::string& text) {
  const json::value body = json::object{
      {"type", "note.added"}, {"subject", text}, {"data", json::object{{"text", text}}}};
  const auto told = ask("POST", "/v1/events", to_text(body));
  if (told.status != 202) throw std::runtime_error(told.response.body);
  settle();
  return find_integer(told.body, "id").value_or(0);
}

}  // namespace vigil::testing
