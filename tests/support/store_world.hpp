#pragma once
// A real database in a directory of its own, with its writer and a loop, for tests of what is
// committed.
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/digest.hpp"
#include "core/task_group.hpp"
#include "storage/writer.hpp"

namespace vigil::testing {

class StoreWorld {
 public:
  StoreWorld() : path_(std::filesystem::temp_directory_path() / ("vigild-" + random_hex(8))) {
    storage::WriterOptions options;
    options.state_dir = path_;
    options.free_bytes_min = 0;
    options.ballast_bytes = 0;
    options.sync = false;  // what is tested is what is written, not whether it survives
    auto opened = storage::Writer::open(options);
    if (!opened) throw std::runtime_error(opened.error().message);
    writer_ = std::move(*opened);
    writer_->start(loop_.get_executor(),
                   [](const std::string& why) { throw std::runtime_error(why); });
  }
  ~StoreWorld() {
    writer_->stop();
    writer_.reset();
    std::filesystem::remove_all(path_);
  }

  // Commits one change and gives back what it returned.
  template <class Change>
  auto commit(Change change) {
    using Value = std::invoke_result_t<Change&, storage::Stores&>;
    std::optional<Result<Value>> out;
    TaskGroup group(loop_.get_executor());
    group.spawn("change", [&]() -> boost::asio::awaitable<void> {
      auto committing = writer_->commit(change);
      out = co_await std::move(committing);
    });
    while (group.size() > 0) {
      loop_.restart();
      loop_.run_one();
    }
    if (!*out) throw std::runtime_error(out->error().message);
    if constexpr (!std::is_void_v<Value>) return std::move(**out);
  }

  std::unique_ptr<storage::Stores> reader() {
    auto opened = storage::Stores::open_reader(path_);
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }

 private:
  std::filesystem::path path_;
  boost::asio::io_context loop_{1};
  std::unique_ptr<storage::Writer> writer_;
};

}  // namespace vigil::testing
