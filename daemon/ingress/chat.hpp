#pragma once
// Messages of chats in one form, chat.message (docs/comms.md), whichever platform they came from.
// Pure; any thread.
#include <optional>

#include "config/settings.hpp"
#include "core/json.hpp"
#include "daemon/ingress/presets.hpp"

namespace vigil::ingress {

struct Chat {
  bool is_own = false;  // ours, or a bot's while we do not know ourselves: not told
  Described described;
  json::value payload;
};
// Of the body of a webhook (schemes slack and telegram). Nothing: it is no message.
std::optional<Chat> chat_of(const std::string& source, const config::Webhook& settings,
                            const json::value& body);
// Of one update of Telegram's (https://core.telegram.org/bots/api#update).
std::optional<Chat> telegram_chat(const std::string& source, const json::value& update,
                                  const std::vector<std::string>& own_ids);

}  // namespace vigil::ingress
