#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <thread>

#include "ctl/pages.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

TimePoint wall_now() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

// Shows news until they end; events up to `shown` are in the list above already.
int follow_news(const Session& session, Stream& stream, std::int64_t shown) {
  json::object item;
  while (stream.next(item) == Stream::Heard::item) {
    const json::value news(item);
    if (text_at(news, "topic") == "event" && number_at(news, "id") <= shown) continue;
    print(session.output == Output::json ? to_text(news) + "\n" : news_line(news, session.style));
  }
  print_error("vigilctl: the daemon ended the connection\n");
  return exit_unreachable;
}

json::object as_news(const json::value& event) {
  auto item = event.as_object();
  item["topic"] = "event";
  if (const auto* at = item.if_contains("received_at")) item["at"] = json::value(*at);
  return item;
}

Result<json::value> read_data(const std::string& given) {
  if (given.empty()) return json::value();
  std::string text = given;
  if (given == "-" || given.starts_with('@')) {
    auto read = read_all(given == "-" ? given : given.substr(1));
    if (!read) return std::unexpected(std::move(read.error()));
    text = std::move(*read);
  }
  auto value = parse_json(text);
  if (!value) {
    return fail(ErrorCode::invalid_input,
                fmt::format("--data: {}. Give JSON, @FILE or - for standard input; a text needs "
                            "its quotes: --data '\"hello\"'",
                            value.error().message));
  }
  return value;
}

}  // namespace

int tail_events(const Session& session, const TailArgs& args) {
  std::optional<Stream> stream;
  if (session.follow == Follow::yes) {
    Target target("/v1/tail");
    target.with("topics", args.topics).with("source", args.source).with("type", args.type);
    target.with("entity", args.entity);
    auto opened = session.client.follow(target.text());
    if (!opened) return tell(opened.error());
    stream = std::move(*opened);
  }
  std::int64_t last = 0;
  const bool wants_events = args.topics.empty() || args.topics.find("event") != std::string::npos;
  const int count = args.count >= 0 ? args.count : stream ? 0 : 20;
  if (count > 0 && wants_events && args.entity.empty()) {
    Target target("/v1/events");
    target.with("limit", fmt::format("{}", count));
    target.with("source", args.source).with("type", args.type);
    const auto answer = session.fetch("GET", target.text());
    if (!answer) return answer.error();
    if (session.output == Output::json && !stream) {
      print(session.json_text(*answer));
      return exit_ok;
    }
    const auto& events = array_at(*answer, "events");
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      last = std::max(last, number_at(*event, "id"));
      const json::value item(as_news(*event));
      print(session.output == Output::json ? to_text(item) + "\n" : news_line(item, session.style));
    }
    if (events.empty() && session.output == Output::page) {
      print_error(events_page(*answer, session.style));
    }
  }
  return stream ? follow_news(session, *stream, last) : exit_ok;
}

int emit_event(const Session& session, const EmitArgs& args) {
  auto data = read_data(args.data);
  if (!data) {
    print_error("vigilctl: " + safe_lines(data.error().message) + "\n");
    return data.error().code == ErrorCode::invalid_input ? exit_usage : exit_failed;
  }
  json::object body{{"type", args.type}};
  if (!args.source.empty()) body["source"] = args.source;
  if (!args.subject.empty()) body["subject"] = args.subject;
  if (!args.uid.empty()) body["uid"] = args.uid;
  if (args.untrusted) body["untrusted"] = true;
  if (!data->is_null()) body["data"] = std::move(*data);
  const auto answer = session.fetch("POST", "/v1/events", to_text(body));
  if (!answer) return answer.error();
  if (session.output == Output::json) {
    print(session.json_text(*answer));
    return exit_ok;
  }
  const auto id = text_at(*answer, "id");
  const bool duplicate = text_at(*answer, "status") == "duplicate";
  print(duplicate
            ? fmt::format("event {} is that delivery already: nothing was added\n", id)
            : fmt::format("event {} is stored; what becomes of it: vigilctl explain {}\n", id, id));
  return exit_ok;
}

// With --follow it is drawn again whenever something about it happened, until all is over.
int explain_event(const Session& session, const std::string& id) {
  const auto target = path_of("/v1/events/", id, "/explain");
  if (session.follow == Follow::no) return session.get(target, explain_page);
  auto stream = session.client.follow("/v1/tail?topics=decision,swarm,action");
  if (!stream) return tell(stream.error());
  std::string shown;
  while (true) {
    const auto answer = session.fetch("GET", target);
    if (!answer) return answer.error();
    auto style = session.style;
    style.now = wall_now();
    auto page = session.output == Output::json ? to_text(*answer) + "\n"
                                               : explain_page(*answer, style) + "\n";
    if (page != shown) print(page);
    shown = std::move(page);
    json::object item;
    if (stream->next(item) != Stream::Heard::item) return exit_ok;
  }
}

}  // namespace vigil::ctl
