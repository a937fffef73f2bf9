#pragma once
// A daemon without doors: the API over a real writer and a real runtime, asked as the socket asks.
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/task_group.hpp"
#include "daemon/admin/api.hpp"

namespace vigil::testing {

struct Told {
  int status = 0;
  json::value body;
  ingress::Response response;
};

class AdminWorld {
 public:
  explicit AdminWorld(const std::string& toml);
  ~AdminWorld();

  // A target and, for a POST, a body; `uid` is the peer's.
  Told ask(const std::string& method, const std::string& target, const std::string& body = {},
           int uid = 1000);
  Told get(const std::string& target) { return ask("GET", target); }
  // Runs the loop until it holds; fails after some seconds.
  void until(const std::function<bool()>& holds);
  // Until everything is routed and decided.
  void settle();
  // Emits and settles; the event's id.
  std::int64_t emit(const std::string& text);

  ingress::HeadVerdict check_head(const ingress::Request& head) const {
    return api_->check_head(head);
  }
  boost::asio::io_context& loop() { return loop_; }
  TaskGroup& group() { return group_; }
  runtime::Bulletin& bulletin() { return bulletin_; }
  const std::filesystem::path& path() const { return path_; }

  config::LoadResult on_disk;  // what reading the configuration again gives
  bool reloaded = false;

 private:
  admin::Parts parts();
  boost::asio::awaitable<Result<storage::Appended>> accept(storage::NewEvent event,
                                                           json::value data);

  std::filesystem::path path_;
  boost::asio::io_context loop_{1};
  std::unique_ptr<Clock> clock_ = make_system_clock();
  config::Settings settings_;
  std::unique_ptr<storage::Writer> writer_;
  runtime::Bulletin bulletin_{loop_.get_executor()};
  std::unique_ptr<runtime::Runtime> runtime_;
  ingress::Accept accept_;
  std::unique_ptr<ingress::Door> door_;
  std::unique_ptr<ingress::Scheduler> scheduler_;
  std::unique_ptr<delivery::Courier> courier_;
  std::unique_ptr<admin::Api> api_;
  TaskGroup group_{loop_.get_executor()};
};

}  // namespace vigil::testing
