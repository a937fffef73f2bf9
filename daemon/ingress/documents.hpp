#pragma once
// Keeps folders of documents in the memory of an entity ([source.NAME] kind = "documents"): read by
// a contained child when the kernel says that something was written, and every so often; only what
// changed is read. The documents and what is known of their files are written together: a crash
// leaves them in step. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/ingress/noticed.hpp"
#include "daemon/ingress/reading.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {

class DocumentFolders {
 public:
  DocumentFolders(boost::asio::any_io_executor executor, Clock& clock, MakeRunner make_runner,
                  AcceptNoticed accept);
  ~DocumentFolders();
  Result<void> apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  // Looks soon. False: there is no such source of this kind.
  bool poke(const std::string& source);
  boost::asio::awaitable<void> stop();

  struct View {
    std::string source;
    std::size_t files = 0;
    std::uint64_t looks = 0;
    std::string trouble;  // of the last look; empty: it went well
  };
  std::vector<View> views() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The key of a file's document in the entity's memory.
std::string document_key(const std::string& source, const std::string& path);

}  // namespace vigil::ingress
