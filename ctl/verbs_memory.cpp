#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>

#include "ctl/pages.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

// A mind may hold private things: the file is for its owner, and never replaces another.
Result<void> write_new(const std::string& path, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) {
    return fail(errno == EEXIST ? ErrorCode::conflict : ErrorCode::invalid_input,
                fmt::format("{} cannot be written: {}. Choose another name.", safe(path),
                            std::strerror(errno)));
  }
  while (!bytes.empty()) {
    const auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return fail(ErrorCode::internal,
                  fmt::format("{} is not whole: {}", safe(path), std::strerror(errno)));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

int set_fact(const Session& session, const FactArgs& args) {
  auto value = parse_json(args.value);
  json::object body{{"key", args.key}, {"confidence", args.confidence}};
  body["value"] = value ? std::move(*value) : json::value(args.value);
  if (!args.provenance.empty()) body["provenance"] = args.provenance;
  const bool forgets = body.at("value").is_null();
  return session.act(
      "POST", path_of("/v1/memory/", args.entity, "/facts"), body,
      fmt::format("{} {} {}", safe(args.entity), forgets ? "forgot" : "knows", safe(args.key)));
}

int consolidate(const Session& session, const std::string& entity) {
  const auto answer = session.fetch("POST", path_of("/v1/memory/", entity, "/consolidate"));
  if (!answer) return answer.error();
  if (session.output == Output::json) {
    print(session.json_text(*answer));
    return exit_ok;
  }
  const auto count = [&](std::string_view name) { return find_integer(*answer, name).value_or(0); };
  print(
      fmt::format("{}: of {} new episodes came {} facts and {} preferences; {} facts nobody used "
                  "were halved, {} forgotten\n",
                  safe(entity), count("episodes"), count("facts"), count("preferences"),
                  count("halved"), count("forgotten")));
  if (count("passed_over") > 0) {
    print(fmt::format("{} older new episodes were passed over: memory.episodes_max is too small\n",
                      count("passed_over")));
  }
  if (find_integer(*answer, "asked.swarm")) {
    print(
        fmt::format("a model is asked about {} of them, {} cut and {} passed over: vigilctl swarms "
                    "watch {}\n",
                    count("asked.episodes"), count("asked.cut"), count("asked.passed_over"),
                    count("asked.swarm")));
  }
  if (const auto why = text_at(*answer, "not_asked"); !why.empty()) {
    print(fmt::format("no model is asked: {}\n", why));
  }
  return exit_ok;
}

int show_document(const Session& session, const std::string& entity, const std::string& key) {
  Target target(path_of("/v1/memory/", entity, "/document"));
  target.with("key", key);
  const auto answer = session.fetch("GET", target.text());
  if (!answer) return answer.error();
  const std::string body(find_text(*answer, "body").value_or(""));
  print(session.output == Output::json ? session.json_text(*answer) : safe_lines(body));
  return exit_ok;
}

int show_post_mortem(const Session& session, const std::string& case_id) {
  const auto one = session.fetch("GET", path_of("/v1/cases/", case_id));
  if (!one) return one.error();
  const std::string entity(find_text(*one, "entity").value_or(""));
  const std::string key(find_text(*one, "key").value_or(""));
  Target target(path_of("/v1/memory/", entity, "/documents"));
  target.with("prefix", "incident:" + key + "@").with("limit", "1");
  const auto found = session.fetch("GET", target.text());
  if (!found) return found.error();
  const auto newest = find_text(*found, "documents.0.key");
  if (newest) return show_document(session, entity, std::string(*newest));
  print_error(
      fmt::format("vigilctl: no incident of {} is over yet, so there is no post-mortem: "
                  "vigilctl cases show {} says how it stands\n",
                  safe(key), safe(case_id)));
  return exit_failed;
}

int forget(const Session& session, const std::string& entity, const std::string& prefix,
           bool everything) {
  if (prefix.empty() && !everything) {
    print_error("vigilctl: say which keys to forget, or --everything\n");
    return exit_usage;
  }
  Target target(path_of("/v1/memory/", entity));
  target.with("prefix", prefix).with("everything", everything ? "yes" : "");
  const auto answer = session.fetch("DELETE", target.text());
  if (!answer) return answer.error();
  if (session.output == Output::json) {
    print(session.json_text(*answer));
  } else {
    print(fmt::format("{} forgot {}\n", safe(entity),
                      count_text(number_at(*answer, "forgotten"), "entry")));
  }
  return exit_ok;
}

int export_mind(const Session& session, const std::string& entity, const std::string& path) {
  const auto reply = session.client.ask("GET", path_of("/v1/memory/", entity, "/export"), {},
                                        std::chrono::seconds{0});
  if (!reply) return tell(reply.error());
  if (reply->status >= 400) return tell_refusal(*reply);
  if (path.empty() || path == "-") {
    print(reply->body);
    return exit_ok;
  }
  if (const auto written = write_new(path, reply->body); !written) return tell(written.error());
  print(fmt::format("{} holds the mind of {} ({})\n", safe(path), safe(entity),
                    bytes_text(static_cast<std::int64_t>(reply->body.size()))));
  return exit_ok;
}

int import_mind(const Session& session, const std::string& entity, const std::string& path) {
  const auto lines = read_all(path);
  if (!lines) return tell(lines.error());
  const auto answer = session.fetch("POST", path_of("/v1/memory/", entity, "/import"), *lines,
                                    std::chrono::seconds{0});
  if (!answer) return answer.error();
  if (session.output == Output::json) {
    print(session.json_text(*answer));
  } else {
    print(fmt::format("{} took in {}, {} and {}; {} were known\n", safe(entity),
                      count_text(number_at(*answer, "facts"), "fact"),
                      count_text(number_at(*answer, "preferences"), "preference"),
                      count_text(number_at(*answer, "episodes"), "episode"),
                      number_at(*answer, "known")));
  }
  return exit_ok;
}

}  // namespace vigil::ctl
