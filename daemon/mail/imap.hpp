#pragma once
// One connection to an IMAP server (RFC 3501, RFC 9051): log in, look, listen (RFC 2177), and the
// few things that are done to messages (RFC 6851 MOVE, RFC 4315 UIDPLUS, RFC 7162 CONDSTORE, each
// where the server has it). No Debian library fits: libcurl cannot listen, libetpan and vmime block
// their thread. What the server says is bounded (imap_response.hpp). Loop thread only; one command
// at a time. After an error that is no NO the connection is of no more use.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/mail.hpp"
#include "core/clock.hpp"
#include "daemon/mail/imap_response.hpp"
#include "daemon/mail/wire.hpp"

namespace vigil::mail {

enum class Access { read, write };

// What the tagged answer said, and what came before it.
struct Answered {
  Response end;
  std::vector<Response> data;
};

class Imap {
 public:
  Imap(boost::asio::any_io_executor executor, Clock& clock, const http::Reach& reach);
  ~Imap();

  // Connects, and logs in. ErrorCode::unauthorized: the server knows no such user and password.
  boost::asio::awaitable<Result<void>> open(config::MailAccount account);
  bool can(std::string_view capability) const;
  bool is_open() const { return open_; }

  // NO is ErrorCode::conflict, BAD ErrorCode::invalid_input; everything else ended the connection.
  boost::asio::awaitable<Result<Answered>> command(std::string text);
  // The same with a literal at the end (APPEND).
  boost::asio::awaitable<Result<Answered>> command(std::string text, std::string literal);
  // not_found: there is no such folder.
  boost::asio::awaitable<Result<FolderStatus>> select(std::string folder, Access access);
  const std::string& selected() const { return selected_; }
  // The server said in passing that the selected folder is not as it was when it was selected.
  bool is_stale() const { return stale_; }
  // Returns when the server says that something changed in the selected folder, or at `until`.
  // True: something did.
  boost::asio::awaitable<Result<bool>> listen(TimePoint until);
  boost::asio::awaitable<void> log_out();

 private:
  boost::asio::awaitable<Result<Response>> next(TimePoint until);
  boost::asio::awaitable<Result<Answered>> answer(std::string tag);
  boost::asio::awaitable<Result<void>> greet();
  boost::asio::awaitable<Result<void>> learn();
  boost::asio::awaitable<Result<void>> log_in();
  boost::asio::awaitable<Result<void>> end_listening(std::string tag);
  std::string next_tag();
  std::string said(const Response& response) const;
  void notice(const Response& response);
  std::unexpected<Error> broken(Error error);

  boost::asio::any_io_executor executor_;
  Clock& clock_;
  const http::Reach& reach_;
  config::MailAccount account_;
  std::unique_ptr<Wire> wire_;
  ResponseReader reader_;
  std::vector<std::string> capabilities_;
  std::string selected_;
  std::uint64_t exists_ = 0;  // in the selected folder
  bool stale_ = false;
  int tags_ = 0;
  bool open_ = false;
  bool greeted_in_ = false;                  // PREAUTH
  const config::Secret* proving_ = nullptr;  // while it is on its way: of log_in
};

}  // namespace vigil::mail
