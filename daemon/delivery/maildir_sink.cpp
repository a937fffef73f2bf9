// [sink.NAME] kind = "maildir": flags and moves messages, and leaves drafts. All of it can be taken
// back, and all of it may be asked for twice: what is done already is found done.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/off_loop.hpp"
#include "daemon/delivery/mail_order.hpp"
#include "daemon/delivery/sinks.hpp"
#include "daemon/mail/compose.hpp"
#include "daemon/mail/maildir.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

// Blocks: on a thread of its own.
class MaildirErrand {
 public:
  MaildirErrand(config::MaildirSink settings, storage::Action action, TimePoint now)
      : settings_(std::move(settings)), action_(std::move(action)), now_(now) {}

  Outcome run() const {
    const auto order = mail_order_from(json::value(action_.payload));
    if (!order) return failed(order.error().message);
    if (order->what == MailOrder::What::draft) return draft();
    if (order->what == MailOrder::What::mark) return mark(*order);
    const bool away = order->what == MailOrder::What::remove;
    return move(*order, away ? std::string("Trash") : order->to);
  }

 private:
  static Outcome outcome_of(const Error& error) {
    if (error.code == ErrorCode::invalid_input) return failed(error.message);
    return retry_later(error.message);  // a disk that is full may be put right by a person
  }

  Outcome draft() const {
    auto letter = mail::letter_from(json::value(action_.payload));
    if (!letter) return failed(letter.error().message);
    letter->date = now_;
    letter->message_id = mail::message_id_of_key(action_.key, "");
    const auto unique = letter->message_id.substr(0, letter->message_id.find('@'));
    auto added = mail::add_to_maildir(settings_.path, settings_.drafts, unique,
                                      {"\\Draft", "\\Seen"}, mail::compose(*letter));
    if (!added) return outcome_of(added.error());
    return delivered(
        json::object{{"folder", settings_.drafts}, {"message_id", letter->message_id}});
  }

  Outcome mark(const MailOrder& order) const {
    const auto file = mail::find_in_maildir(settings_.path, order.folder, order.file);
    if (!file) {
      return failed(
          fmt::format("the message is no more in \"{}\": it was moved or deleted "
                      "meanwhile",
                      order.folder));
    }
    auto flags = file->flags;
    for (const auto& flag : order.remove) std::erase(flags, flag);
    for (const auto& flag : order.add) {
      if (!mail::has_maildir_letter(flag)) {
        return failed(fmt::format("a Maildir has no letter for \"{}\"", flag));
      }
      flags.push_back(flag);
    }
    auto put = mail::put_in_maildir(settings_.path, *file, order.folder, flags);
    if (!put) return outcome_of(put.error());
    return delivered(json::object{{"folder", order.folder}, {"file", order.file}});
  }

  Outcome move(const MailOrder& order, const std::string& to) const {
    const json::object result{{"folder", to}, {"from", order.folder}};
    const auto file = mail::find_in_maildir(settings_.path, order.folder, order.file);
    if (!file) {
      if (mail::find_in_maildir(settings_.path, to, order.file)) return delivered(result);
      return failed(
          fmt::format("the message is neither in \"{}\" nor in \"{}\": somebody moved or "
                      "deleted it meanwhile",
                      order.folder, to));
    }
    auto put = mail::put_in_maildir(settings_.path, *file, to, file->flags);
    if (!put) return outcome_of(put.error());
    return delivered(result);
  }

  config::MaildirSink settings_;
  storage::Action action_;
  TimePoint now_;
};

class MaildirSink final : public Sink {
 public:
  MaildirSink(config::MaildirSink settings, const SinkGround& ground)
      : settings_(std::move(settings)), ground_(ground) {}

  Repeat repeat(const storage::Action&) const override { return Repeat::harmless; }

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    const auto errand =
        std::make_shared<MaildirErrand>(settings_, std::move(attempt.action), ground_.clock.now());
    std::function<Outcome()> work = [errand] { return errand->run(); };
    auto working = off_loop(ground_.executor, std::move(work));
    co_return co_await std::move(working);
  }

 private:
  config::MaildirSink settings_;
  SinkGround ground_;
};

}  // namespace

std::shared_ptr<Sink> make_maildir_sink(const config::MaildirSink& settings,
                                        const SinkGround& ground) {
  return std::make_shared<MaildirSink>(settings, ground);
}

}  // namespace vigil::delivery
