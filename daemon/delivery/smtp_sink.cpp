// [sink.NAME] kind = "smtp": sends a plain text message, from the one sender and to the addresses
// that the configuration allows. Its Message-ID is made of the action's key. Whether a message
// whose hand-over broke off was taken nobody can say: it is not sent again (`unknown`).
#include <fmt/format.h>

#include "core/log.hpp"
#include "daemon/delivery/sinks.hpp"
#include "daemon/mail/compose.hpp"
#include "daemon/mail/pattern.hpp"
#include "daemon/mail/smtp.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

class SmtpSink final : public Sink {
 public:
  SmtpSink(config::SmtpSink settings, const SinkGround& ground)
      : settings_(std::move(settings)), ground_(ground) {}

  Repeat repeat(const storage::Action&) const override { return Repeat::dangerous; }
  int per_hour_max() const override { return settings_.per_hour_max; }

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    const auto& action = attempt.action;
    auto letter = mail::letter_from(json::value(action.payload));
    if (!letter) co_return failed(letter.error().message);
    auto from = mail::parse_address(settings_.from);
    if (!from) co_return failed("from is no address: correct it in the configuration");
    letter->from = std::move(*from);
    letter->date = ground_.clock.now();
    const auto& sender = letter->from.address;
    letter->message_id = mail::message_id_of_key(action.key, sender.substr(sender.rfind('@') + 1));
    std::vector<std::string> recipients;
    for (const auto* list : {&letter->to, &letter->cc}) {
      for (const auto& one : *list) {
        if (!mail::fits_any(settings_.to, one.address)) {
          co_return failed(
              fmt::format("{} may not be written to: it fits no pattern in `to` of the "
                          "sink",
                          vigil::quoted(one.address)));
        }
        recipients.push_back(one.address);
      }
    }
    if (recipients.empty()) co_return failed("the payload's to: expected an address");
    auto handing = mail::hand_over(ground_.executor, ground_.clock, ground_.reach, settings_,
                                   std::move(recipients), mail::compose(*letter));
    mail::Handed handed = co_await std::move(handing);
    using Fate = mail::Handed::Fate;
    if (handed.fate == Fate::refused) co_return failed(handed.text);
    if (handed.fate == Fate::not_now) co_return retry_later(handed.text);
    if (handed.fate == Fate::unanswered) co_return unanswered(handed.text);
    co_return delivered(json::object{{"message_id", letter->message_id}, {"answer", handed.text}});
  }

 private:
  config::SmtpSink settings_;
  SinkGround ground_;
};

}  // namespace

Result<std::shared_ptr<Sink>> make_smtp_sink(const std::string& name,
                                             const config::SmtpSink& settings,
                                             const SinkGround& ground) {
  for (const auto& secret : {settings.password, settings.token}) {
    if (!secret) continue;
    auto read = config::read_secret(*secret);  // a mistake is told now, not at night
    if (!read) {
      return fail(read.error().code, fmt::format("sink.{}: {}", name, read.error().message));
    }
  }
  return std::make_shared<SmtpSink>(settings, ground);
}

}  // namespace vigil::delivery
