#pragma once
// What the tests of storage share: a directory that goes away, a writer on a loop of its own.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "storage/writer.hpp"

namespace vigil::storage {

class TempDir {
 public:
  TempDir() {
    auto pattern = (std::filesystem::temp_directory_path() / "vigil-storage-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;  // what is left is in the system's directory for such things
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class House {
 public:
  explicit House(const std::string& dir) : House(WriterOptions{.state_dir = dir}) {}
  explicit House(WriterOptions options) : state_dir(options.state_dir) {
    auto opened = Writer::open(std::move(options));
    REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
    writer = std::move(*opened);
    writer->start(loop.get_executor(), [this](std::string why) { broken = std::move(why); });
  }
  ~House() {
    writer->stop();
    loop.restart();
    loop.run();
  }

  // Starts one change; its answer arrives in a run of the loop.
  template <class Change>
  auto begin(Change change) {
    using Value = std::invoke_result_t<Change&, Stores&>;
    auto answer = std::make_shared<std::optional<Result<Value>>>();
    auto work = writer->commit(std::move(change));
    boost::asio::co_spawn(loop, std::move(work),
                          [answer](std::exception_ptr error, Result<Value> result) {
                            if (!error) answer->emplace(std::move(result));
                          });
    return answer;
  }
  void run() {
    loop.restart();
    loop.run();
  }
  template <class Change>
  auto change(Change change) {
    auto answer = begin(std::move(change));
    run();
    REQUIRE(answer->has_value());
    return std::move(**answer);
  }
  // The same for what must work.
  template <class Change>
  auto must(Change what) {
    auto result = change(std::move(what));
    REQUIRE_MESSAGE(result.has_value(), result.error().message);
    if constexpr (!std::is_void_v<std::invoke_result_t<Change&, Stores&>>) {
      return std::move(*result);
    }
  }
  template <class T>
  T await(boost::asio::awaitable<T> work) {
    std::optional<T> answer;
    boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr error, T result) {
      if (!error) answer = std::move(result);
    });
    run();
    REQUIRE(answer.has_value());
    return std::move(*answer);
  }
  std::unique_ptr<Stores> reader() {
    auto opened = Stores::open_reader(state_dir);
    REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
    return std::move(*opened);
  }

  boost::asio::io_context loop{1};
  std::string state_dir;
  std::unique_ptr<Writer> writer;
  std::string broken;
};

// A moment some seconds into the tests' own epoch.
inline TimePoint at(int seconds) {
  return from_unix_us(1'790'000'000'000'000) + std::chrono::seconds{seconds};
}

inline NewEvent some_event(const std::string& uid, const std::string& source = "hooks") {
  NewEvent event;
  event.uid = uid;
  event.source = source;
  event.type = "test.happened";
  event.subject = "octo/repo#12";
  event.time = at(0);
  event.received_at = at(1);
  event.content_type = "application/json";
  event.headers = {{"x-one", "1"}, {"x-two", "a\nb"}};
  event.data = R"({"n": 1})";
  return event;
}

}  // namespace vigil::storage
