#include "daemon/ingress/mail_intake.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <filesystem>
#include <functional>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "core/off_loop.hpp"
#include "daemon/mail/maildir.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace {

Result<void> keep_raw(const std::string& folder, const std::string& source, const std::string& name,
                      const std::string& raw) {
  std::error_code made;
  fs::create_directories(folder, made);
  if (made) return fail(ErrorCode::unavailable, fmt::format("{}: {}", folder, made.message()));
  return mail::write_durably(folder + "/" + source, name, raw);
}

int remove_old(const std::string& folder, std::time_t before) {
  int removed = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    struct stat status{};
    const auto path = at->path().string();
    const bool old = ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
                     status.st_mtim.tv_sec < before;
    if (old && ::unlink(path.c_str()) == 0) ++removed;
  }
  return removed;
}

}  // namespace

MailIntake::MailIntake(asio::any_io_executor executor, Clock& clock, std::string folder,
                       ReadMail read, Accept accept)
    : executor_(std::move(executor)),
      clock_(clock),
      folder_(std::move(folder)),
      read_(std::move(read)),
      accept_(std::move(accept)) {}

asio::awaitable<Result<storage::Appended>> MailIntake::take(Delivery delivery) {
  const auto digest = to_hex(as_bytes(sha256(delivery.raw)));
  auto identity = identity_of(delivery.raw);
  if (identity.key.empty()) identity.key = digest.substr(0, 32);
  const auto name = digest.substr(0, 40) + ".eml";
  const auto bytes = delivery.raw.size();
  std::function<Result<void>()> work = [folder = folder_, source = delivery.source, name,
                                        raw = delivery.raw] {
    return keep_raw(folder, source, name, raw);
  };
  auto keeping = off_loop(executor_, std::move(work));
  Result<void> kept = co_await std::move(keeping);
  if (!kept) co_return std::unexpected(std::move(kept.error()));
  auto reading = read_(std::move(delivery.raw));
  Result<json::object> mail = co_await std::move(reading);
  if (!mail && mail.error().code != ErrorCode::invalid_input) {
    co_return std::unexpected(std::move(mail.error()));
  }
  if (!mail) {
    log_warn("a message cannot be read: source={} file={} error={}", delivery.source, name,
             vigil::quoted(mail.error().message));
    mail = unreadable_mail(identity, bytes, mail.error().message);
  }
  json::array recipients;
  for (const auto& one : delivery.recipients) recipients.emplace_back(to_valid_utf8(one));
  json::object envelope{{"to", std::move(recipients)}};
  if (!delivery.from.empty()) envelope["from"] = to_valid_utf8(delivery.from);
  for (const auto& [member, value] : delivery.more) mail->insert_or_assign(member, value);
  (*mail)["envelope"] = std::move(envelope);
  MailPlace place{.source = delivery.source, .taint = delivery.taint};
  place.raw_ref = json::object{{"kind", "file"},
                               {"path", fmt::format("{}/{}/{}", folder_, delivery.source, name)}};
  place.received = clock_.now();
  auto told = message_event(place, identity.key + "-" + digest.substr(0, 16), std::move(*mail), {},
                            clock_.now());
  auto accepting = accept_(std::move(told.event), std::move(told.payload));
  co_return co_await std::move(accepting);
}

asio::awaitable<void> MailIntake::sweep(TimePoint before) {
  std::function<int()> work = [folder = folder_, until = std::chrono::system_clock::to_time_t(
                                                     before)] { return remove_old(folder, until); };
  auto removing = off_loop(executor_, std::move(work));
  int removed = co_await std::move(removing);
  if (removed > 0) log_info("old raw messages removed: count={}", removed);
}

}  // namespace vigil::ingress
