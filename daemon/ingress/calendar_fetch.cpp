#include "daemon/ingress/calendar_fetch.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "daemon/http/refusal.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using WithPtr = std::shared_ptr<const Fetching>;

constexpr std::size_t at_once = 50;  // resources asked for in one request
constexpr int multistatus = 207;

std::string text_at(const json::value& value, std::string_view path) {
  return std::string(find_text(value, path).value_or(""));
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

http::Request request_of(const Fetching& with, std::string method) {
  http::Request out;
  out.method = std::move(method);
  out.url = with.settings.url;
  out.configured = out.url;
  out.deadline = with.clock->now() + with.settings.timeout;
  out.answer_bytes_max = with.settings.body_bytes_max;
  out.headers = {{"User-Agent", "vigild"}};
  if (!with.authorization.empty()) out.headers.emplace_back("Authorization", with.authorization);
  return out;
}

Error refused(const http::Answer& answer, TimePoint now) {
  return Error{ErrorCode::unavailable, http::refusal_of(answer, now).text};
}

http::Request dav_request(const Fetching& with, std::string method, std::string_view depth,
                          std::string_view body) {
  auto out = request_of(with, std::move(method));
  out.headers.emplace_back("Content-Type", "application/xml; charset=utf-8");
  out.headers.emplace_back("Depth", std::string(depth));
  out.body = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
  out.body += body;
  return out;
}

std::string sync_body(const std::string& token) {
  return "<sync-collection xmlns=\"DAV:\"><sync-token>" + escaped(token) +
         "</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>";
}

constexpr std::string_view list_body =
    "<propfind xmlns=\"DAV:\"><prop><getetag/>"
    "<resourcetype/></prop></propfind>";

std::string multiget_body(const std::vector<std::string>& addresses, std::size_t from) {
  std::string out =
      "<C:calendar-multiget xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">"
      "<prop><getetag/><C:calendar-data/></prop>";
  for (auto at = from; at < std::min(from + at_once, addresses.size()); ++at) {
    out += "<href>" + escaped(addresses[at]) + "</href>";
  }
  return out + "</C:calendar-multiget>";
}

// A multistatus as JSON; nothing: the server refused, with its answer.
struct Dav {
  int status = 0;
  json::value said;
  Error refusal;
};
asio::awaitable<Result<Dav>> ask(WithPtr with, http::Request request) {
  auto fetching = with->fetch(std::move(request));
  http::Received answer = co_await std::move(fetching);
  if (!answer) co_return std::unexpected(std::move(answer.error().error));
  Dav out;
  out.status = answer->status;
  if (answer->status != multistatus) {
    out.refusal = refused(*answer, with->clock->now());
    co_return out;
  }
  if (answer->body_cut) {
    co_return fail(ErrorCode::too_large, "the calendar is larger than body_bytes_max");
  }
  json::object input{{"body", to_valid_utf8(answer->body)}};
  auto reading = with->analyse("calendar.dav", std::move(input));
  Result<json::value> said = co_await std::move(reading);
  if (!said) co_return std::unexpected(std::move(said.error()));
  out.said = std::move(*said);
  co_return out;
}

// What the list says is new or other than what is known; the rest of the collection is not in it
// when it tells changes alone.
enum class Tells { changes, all };
std::vector<std::string> take_list(const json::value& said, Tells tells, const Resources& known,
                                   Fetched& out) {
  std::vector<std::string> wanted;
  std::map<std::string, std::string> listed;
  const auto* responses = find_path(said, "responses");
  for (const auto& one : responses->get_array()) {
    const auto address = text_at(one, "href");
    const auto etag = text_at(one, "etag");
    const bool is_gone = find_integer(one, "status").value_or(200) == 404;
    if (address.empty() || find_bool(one, "collection").value_or(false)) continue;
    if (is_gone) {
      out.gone.push_back(address);
      out.now.etags.erase(address);
      continue;
    }
    if (etag.empty()) continue;  // the collection itself
    listed[address] = etag;
    const auto before = known.etags.find(address);
    if (before == known.etags.end() || before->second != etag) wanted.push_back(address);
  }
  if (tells == Tells::changes) return wanted;
  for (const auto& [address, etag] : known.etags) {
    if (listed.contains(address)) continue;
    out.gone.push_back(address);
    out.now.etags.erase(address);
  }
  return wanted;
}

asio::awaitable<Result<void>> get_all(WithPtr with, std::vector<std::string> wanted, Fetched* out) {
  std::size_t bytes = 0;
  for (std::size_t from = 0; from < wanted.size(); from += at_once) {
    auto asking = ask(with, dav_request(*with, "REPORT", "1", multiget_body(wanted, from)));
    Result<Dav> got = co_await std::move(asking);
    if (!got) co_return std::unexpected(std::move(got.error()));
    if (got->status != multistatus) co_return std::unexpected(std::move(got->refusal));
    const auto* responses = find_path(got->said, "responses");
    for (const auto& one : responses->get_array()) {
      const auto address = text_at(one, "href");
      auto text = text_at(one, "text");
      bytes += text.size();
      if (address.empty() || text.empty()) continue;
      out->now.etags[address] = text_at(one, "etag");
      out->texts[address] = std::move(text);
    }
    if (bytes > with->settings.body_bytes_max) {
      co_return fail(ErrorCode::too_large, "the calendar is larger than body_bytes_max");
    }
  }
  co_return Result<void>{};
}

// One resource, by a conditional request.
asio::awaitable<Result<Fetched>> fetch_file(WithPtr with, Resources known) {
  auto request = request_of(*with, "GET");
  const auto& url = with->settings.url;
  request.headers.emplace_back("Accept", "text/calendar, */*;q=0.5");
  if (const auto etag = known.etags.find(url); etag != known.etags.end()) {
    if (!etag->second.empty()) request.headers.emplace_back("If-None-Match", etag->second);
    if (!known.token.empty()) request.headers.emplace_back("If-Modified-Since", known.token);
  }
  auto fetching = with->fetch(std::move(request));
  http::Received answer = co_await std::move(fetching);
  if (!answer) co_return std::unexpected(std::move(answer.error().error));
  Fetched out;
  out.now = std::move(known);
  if (answer->status == 304) co_return out;
  if (!answer->ok()) co_return std::unexpected(refused(*answer, with->clock->now()));
  if (answer->body_cut) {
    co_return fail(ErrorCode::too_large,
                   "the calendar is larger than body_bytes_max: raise it, or take a smaller one");
  }
  out.now.etags.clear();
  out.now.etags[url] = answer->header("etag");
  out.now.token = answer->header("last-modified");
  out.texts[url] = to_valid_utf8(answer->body);
  co_return out;
}

// A collection: sync-collection (RFC 6578); by ETags where the server knows no such.
asio::awaitable<Result<Fetched>> fetch_collection(WithPtr with, Resources known) {
  Fetched out;
  out.now = known;
  auto syncing = ask(with, dav_request(*with, "REPORT", "1", sync_body(known.token)));
  Result<Dav> list = co_await std::move(syncing);
  if (!list) co_return std::unexpected(std::move(list.error()));
  // A token the server has forgotten, or a server without them: by the ETags of all there is.
  auto tells = known.token.empty() ? Tells::all : Tells::changes;
  if (list->status != multistatus) {
    if (list->status == 401 || list->status == 404 || list->status >= 500) {
      co_return std::unexpected(std::move(list->refusal));
    }
    tells = Tells::all;
    auto listing = ask(with, dav_request(*with, "PROPFIND", "1", list_body));
    Result<Dav> again = co_await std::move(listing);
    if (!again) co_return std::unexpected(std::move(again.error()));
    if (again->status != multistatus) co_return std::unexpected(std::move(again->refusal));
    list = std::move(again);
  }
  out.now.token = text_at(list->said, "sync_token");
  auto wanted = take_list(list->said, tells, known, out);
  auto getting = get_all(with, std::move(wanted), &out);
  Result<void> got = co_await std::move(getting);
  if (!got) co_return std::unexpected(std::move(got.error()));
  co_return out;
}

}  // namespace

asio::awaitable<Result<Fetched>> fetch_calendar(WithPtr with, Resources known) {
  const bool one = with->settings.form == config::CalendarForm::http;
  auto fetching =
      one ? fetch_file(with, std::move(known)) : fetch_collection(with, std::move(known));
  co_return co_await std::move(fetching);
}

}  // namespace vigil::ingress
