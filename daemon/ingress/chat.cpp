#include "daemon/ingress/chat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

namespace vigil::ingress {
namespace {

constexpr std::size_t text_bytes_max = 16 * 1024;

std::string text_at(const json::value& data, std::string_view path) {
  return find_scalar_text(data, path).value_or("");
}

bool among(const std::vector<std::string>& ids, const std::string& id) {
  return !id.empty() && std::ranges::find(ids, id) != ids.end();
}

std::string cut(std::string text) {
  if (text.size() > text_bytes_max) text.resize(text_bytes_max);
  return to_valid_utf8(text);
}

// "&lt;" and its like; "<@U1|ada>" becomes "@ada", "<http://x|y>" becomes "y (http://x)".
// https://docs.slack.dev/messaging/formatting-message-text
std::string plain_of_slack(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto close = text[at] == '<' ? text.find('>', at) : std::string_view::npos;
    if (close != std::string_view::npos) {
      auto inside = text.substr(at + 1, close - at - 1);
      const auto bar = inside.find('|');
      const auto target = inside.substr(0, bar);
      const auto label =
          bar == std::string_view::npos ? std::string_view() : inside.substr(bar + 1);
      const bool mark =
          target.starts_with('@') || target.starts_with('#') || target.starts_with('!');
      if (mark) {
        out += target.starts_with('!') ? '@' : target.front();
        out += label.empty() ? target.substr(1) : label;
      } else {
        out += label.empty() ? std::string(target) : fmt::format("{} ({})", label, target);
      }
      at = close;
      continue;
    }
    constexpr std::pair<std::string_view, char> named[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}};
    const auto found = std::ranges::find_if(
        named, [&](const auto& one) { return text.substr(at).starts_with(one.first); });
    if (found == std::end(named)) {
      out += text[at];
      continue;
    }
    out += found->second;
    at += found->first.size() - 1;
  }
  return out;
}

std::optional<TimePoint> time_of_seconds(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || seconds <= 0 || seconds > 100'000'000'000) return std::nullopt;
  return from_unix_us(seconds * 1'000'000);
}

Chat make(std::string uid, std::string channel, std::optional<TimePoint> time, json::object data) {
  Chat out;
  out.described.uid = std::move(uid);
  out.described.type = "chat.message";
  out.described.subject = std::move(channel);
  out.described.time = time;
  if (time) data["time"] = to_rfc3339(*time);
  out.payload = json::value(std::move(data));
  return out;
}

// Ids of the app itself: those it was told, and whom Slack says it speaks to.
std::vector<std::string> own_of_slack(const json::value& body, std::vector<std::string> own) {
  for (const std::string_view path : {"authorizations.0.user_id", "authed_users.0"}) {
    if (auto id = text_at(body, path); !id.empty()) own.push_back(std::move(id));
  }
  return own;
}

std::optional<Chat> slack_chat(const std::string& source, const json::value& body,
                               const std::vector<std::string>& own_ids) {
  const auto* event = find_path(body, "event");
  if (event == nullptr || text_at(body, "type") != "event_callback") return std::nullopt;
  const auto type = text_at(*event, "type");
  const auto subtype = text_at(*event, "subtype");
  const bool told = (type == "message" || type == "app_mention") &&
                    (subtype.empty() || subtype == "file_share" || subtype == "bot_message" ||
                     subtype == "thread_broadcast" || subtype == "me_message");
  if (!told) return std::nullopt;
  const auto user = text_at(*event, "user");
  const auto bot = text_at(*event, "bot_id");
  const auto app = text_at(*event, "app_id");
  const bool is_bot = !bot.empty() || subtype == "bot_message";
  const auto channel = text_at(*event, "channel");
  const auto ts = text_at(*event, "ts");
  const auto raw = text_at(*event, "text");
  bool mentioned = type == "app_mention";
  for (const auto& id : own_of_slack(body, own_ids)) {
    mentioned = mentioned || raw.find("<@" + id) != std::string::npos;
  }
  const auto kind = text_at(*event, "channel_type");
  json::object data{{"platform", "slack"},
                    {"account", source},
                    {"channel", channel},
                    {"id", ts},
                    {"user", json::object{{"id", user.empty() ? bot : user},
                                          {"name", text_at(*event, "username")}}},
                    {"text", cut(plain_of_slack(raw))},
                    {"mentions_me", mentioned},
                    {"direct", kind == "im" || kind == "mpim"},
                    {"bot", is_bot}};
  if (auto thread = text_at(*event, "thread_ts"); !thread.empty()) data["thread"] = thread;
  // The same message comes as `message` and as `app_mention`.
  auto chat = make(fmt::format("{}:{}:{}", text_at(body, "team_id"), channel, ts), channel,
                   time_of_seconds(ts), std::move(data));
  chat.is_own =
      among(own_ids, user) || among(own_ids, bot) ||
      (is_bot && (own_ids.empty() || (!app.empty() && app == text_at(body, "api_app_id"))));
  return chat;
}

}  // namespace

std::optional<Chat> telegram_chat(const std::string& source, const json::value& update,
                                  const std::vector<std::string>& own_ids) {
  const auto* message = find_path(update, "message");
  if (message == nullptr) message = find_path(update, "channel_post");
  if (message == nullptr || !message->is_object()) return std::nullopt;
  const auto user = text_at(*message, "from.id");
  const bool is_bot = find_bool(*message, "from.is_bot").value_or(false);
  const auto chat = text_at(*message, "chat.id");
  const auto kind = text_at(*message, "chat.type");
  auto text = text_at(*message, "text");
  if (text.empty()) text = text_at(*message, "caption");
  auto name = text_at(*message, "from.first_name");
  if (const auto last = text_at(*message, "from.last_name"); !last.empty()) name += " " + last;
  bool mentioned = text.starts_with('/');  // a command is for a bot
  for (const auto& id : own_ids) {
    mentioned = mentioned || (!id.empty() && text.find("@" + id) != std::string::npos);
  }
  const auto id = text_at(*message, "message_id");
  json::object data{{"platform", "telegram"},
                    {"account", source},
                    {"channel", chat},
                    {"channel_name", text_at(*message, "chat.title")},
                    {"id", id},
                    {"user", json::object{{"id", user}, {"name", name}}},
                    {"text", cut(text)},
                    {"mentions_me", mentioned},
                    {"direct", kind == "private"},
                    {"bot", is_bot}};
  if (auto thread = text_at(*message, "message_thread_id"); !thread.empty()) {
    data["thread"] = thread;
  }
  auto out = make("update:" + text_at(update, "update_id"), chat,
                  time_of_seconds(text_at(*message, "date")), std::move(data));
  out.is_own = among(own_ids, user) || (is_bot && own_ids.empty());
  return out;
}

std::optional<Chat> chat_of(const std::string& source, const config::Webhook& settings,
                            const json::value& body) {
  std::optional<Chat> out;
  if (settings.scheme == config::Scheme::slack) out = slack_chat(source, body, settings.own_ids);
  if (settings.scheme == config::Scheme::telegram) {
    out = telegram_chat(source, body, settings.own_ids);
  }
  // A slack body is signed, and so its id is; Telegram's secret goes with every request.
  if (out && !settings.type.empty()) out->described.type = settings.type;
  return out;
}

}  // namespace vigil::ingress
