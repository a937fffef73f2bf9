#include "daemon/approval_door.hpp"

#include <fmt/format.h>

#include "daemon/delivery/foreseen.hpp"
#include "daemon/runtime/answers.hpp"
#include "storage/stores.hpp"

namespace vigil {
namespace asio = boost::asio;
namespace {

constexpr std::size_t form_bytes_max = 256;
constexpr std::string_view style =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
    "color:#1d2330;background:#fff}h1{font-size:1.25rem}pre{background:#f4f5f7;padding:.75rem;"
    "white-space:pre-wrap;overflow-wrap:anywhere}dt{color:#5b6475}dd{margin:0 0 .5rem;"
    "overflow-wrap:anywhere}button{font:inherit;padding:.5rem 1.25rem;margin-right:.75rem}"
    "@media(prefers-color-scheme:dark){body{color:#e6e8ee;background:#14171f}pre{background:"
    "#20242f}dt{color:#9aa3b5}}";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : to_valid_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Nothing is loaded, framed, cached or told to other sites.
ingress::Response page(int status, std::string_view title, std::string_view inside) {
  ingress::Response out;
  out.status = status;
  out.content_type = "text/html; charset=utf-8";
  out.body = fmt::format(
      "<!doctype html><html lang=\"en\"><meta name=\"viewport\" content=\"width=device-width\">"
      "<title>{0}</title><style>{1}</style><h1>{0}</h1>{2}</html>\n",
      escaped(title), style, inside);
  out.headers = {{"Content-Security-Policy",
                  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                  "frame-ancestors 'none'; base-uri 'none'"},
                 {"Cache-Control", "no-store"},
                 {"Referrer-Policy", "no-referrer"},
                 {"X-Content-Type-Options", "nosniff"},
                 {"X-Robots-Tag", "noindex"}};
  return out;
}

ingress::Response note(int status, std::string_view title, std::string_view text) {
  return page(status, title, fmt::format("<p>{}</p>", escaped(text)));
}

std::string row(std::string_view name, std::string_view value) {
  return value.empty() ? std::string()
                       : fmt::format("<dt>{}</dt><dd>{}</dd>", name, escaped(value));
}

constexpr std::string_view buttons =
    "<form method=\"post\"><p><button name=\"answer\" value=\"approve\">Approve</button>"
    "<button name=\"answer\" value=\"deny\">Deny</button></p></form>";

}  // namespace

ingress::HeadVerdict ApprovalDoor::check_head(const ingress::Request& head) const {
  ingress::HeadVerdict out;
  if (head.method == "GET" || head.method == "POST") {
    out.body_bytes_max = form_bytes_max;
    return out;
  }
  out.refuse_status = 405;
  out.refuse_body = "GET shows the proposal, POST answers it\n";
  out.refuse_headers = {{"Allow", "GET, POST"}};
  return out;
}

asio::awaitable<ingress::Response> ApprovalDoor::handle(ingress::Request request) {
  const auto id = links_.opens(request.target, clock_.now());
  if (!id) co_return note(404, "No such link", id.error().message);
  if (request.method == "GET") co_return show(*id);
  auto answering = answer(*id, std::move(request.body));
  co_return co_await std::move(answering);
}

ingress::Response ApprovalDoor::show(ActionId id) const {
  auto& reader = runtime_.reader();
  const auto action = reader.outbox.find(id);
  if (!action) return note(404, "No such proposal", "It is kept no longer.");
  const auto& sinks = settings_().sinks;
  const auto sink = sinks.find(action->sink);
  const auto foreseen = delivery::foresee(*action, sink == sinks.end() ? nullptr : &sink->second,
                                          reader.outbox.last_delivered(*action));
  const bool open = action->state == "proposed";
  auto inside = fmt::format("<dl>{}{}{}{}{}</dl>", row("would", foreseen.does),
                            row("entity", action->entity), row("case", action->case_key),
                            row("kind", action->kind), row("asked", to_rfc3339(action->created)));
  if (open && action->expires) inside += row("until", to_rfc3339(*action->expires));
  if (!foreseen.says.empty()) inside += fmt::format("<pre>{}</pre>", escaped(foreseen.says));
  inside += fmt::format("<details><summary>payload</summary><pre>{}</pre></details>",
                        escaped(to_pretty_text(json::value(action->payload))));
  inside +=
      open ? std::string(buttons) : fmt::format("<p>It is {} already.</p>", escaped(action->state));
  return page(200, fmt::format("Action {}", id.value), inside);
}

asio::awaitable<ingress::Response> ApprovalDoor::answer(ActionId id, std::string body) {
  if (body != "answer=approve" && body != "answer=deny") {
    co_return note(400, "Not understood", "Use the buttons of the page.");
  }
  const bool approve = body == "answer=approve";
  auto answering = runtime_.answer({.action = id, .approve = approve, .by = "link"});
  Result<runtime::Answered> answered = co_await std::move(answering);
  if (!answered) co_return note(503, "Not stored", answered.error().message);
  if (!answered->refused.empty()) co_return note(409, "Nothing changed", answered->refused);
  co_return note(200, approve ? "Approved" : "Denied",
                 fmt::format("Action {} is {}.", id.value, approve ? "on its way" : "denied"));
}

}  // namespace vigil
