// The gate against public collections of requests that fooled other servers. Each needs a Host to
// reach the question it asks, so cases without one get one.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "core/digest.hpp"
#include "core/json.hpp"
#include "daemon/ingress/gate.hpp"
#include "tests/support/places.hpp"

namespace vigil::ingress {
namespace {

const std::string collected = source_dir() + "/../shared/data/conformance/http/";

std::string load(const std::string& path) {
  std::ifstream file(collected + path, std::ios::binary);
  std::string out{std::istreambuf_iterator<char>(file), {}};
  if (out.empty()) MESSAGE("skipped: a public collection is not here: " << path);
  return out;
}

// \r \n \t \f \" \\ \xHH; what else follows a backslash stays.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char next = text[at] == '\\' && at + 1 < text.size() ? text[at + 1] : '\0';
    const auto known = std::string_view("rntf\"\\").find(next);
    if (next == 'x' && at + 3 < text.size()) {
      out += from_hex(text.substr(at + 2, 2)).value_or("?");
      at += 3;
    } else if (next != '\0' && known != std::string_view::npos) {
      out += "\r\n\t\f\"\\"[known];
      ++at;
    } else {
      out += text[at];
    }
  }
  return out;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string with_host(std::string request) {
  const auto end = request.find("\r\n");
  const bool has = request.find("ost:") != std::string::npos;
  if (end != std::string::npos && !has) request.insert(end + 2, "Host: a\r\n");
  return request;
}

struct Outcome {
  int requests = 0;
  int status = 0;  // of a refusal; 0: none
};

Outcome read_all(std::string_view bytes) {
  Outcome out;
  while (!bytes.empty()) {
    const auto answer = read_head(bytes, {});
    if (answer.kind == GateAnswer::Kind::refuse) out.status = answer.status;
    if (answer.kind != GateAnswer::Kind::head) return out;
    if (bytes.size() - answer.head_bytes < answer.content_length) return out;
    bytes.remove_prefix(answer.head_bytes + answer.content_length);
    ++out.requests;
  }
  return out;
}

struct Guarded {  // a case of http-desync-guardian
  std::string name;
  std::string tier;
  std::string line[3];
  std::string fields;
};

std::string scalar(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (text.size() >= 2 && text.front() == '"') return unescape(text.substr(1, text.rfind('"') - 1));
  if (text.size() >= 2 && text.front() == '\'') {
    return std::string(text.substr(1, text.rfind('\'') - 1));
  }
  while (text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text);
}

// As much of YAML as these files use.
std::vector<Guarded> read_guarded(std::string_view text) {
  std::vector<Guarded> out;
  bool expected = false;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto indent = line.find_first_not_of(' ');
    if (indent == std::string_view::npos || line[indent] == '#') continue;
    auto rest = line.substr(indent);
    const bool item = rest.starts_with("- ");
    if (item) rest.remove_prefix(2);
    const auto colon = rest.find(':');
    const auto key = rest.substr(0, colon);
    const auto value = colon == std::string_view::npos ? "" : scalar(rest.substr(colon + 1));
    if (item && indent == 0) {
      out.push_back({value, "", {"GET", "/", "HTTP/1.1"}, ""});
      expected = false;
      continue;
    }
    if (out.empty()) continue;
    auto& last = out.back();
    if (key == "method" && indent == 2) last.line[0] = value;
    if (key == "uri" && indent == 2) last.line[1] = value;
    if (key == "version" && indent == 2) last.line[2] = value;
    if (key == "expected") expected = true;
    if (key == "tier" && expected) last.tier = value;
    if (key == "name" && item) last.fields += value + ": ";
    if (key == "value") last.fields += value + "\r\n";
  }
  return out;
}

}  // namespace

TEST_CASE("http-desync-guardian: what it calls severe is refused, what it calls compliant is not") {
  std::map<std::string, int> seen;
  for (const auto* file :
       {"acceptable", "ambiguous", "bad-header-characters", "edge-cases", "more-compliant-tests",
        "real-life-test-cases", "rfc-compliant", "severe", "uri-specific-test-cases"}) {
    for (const auto& one : read_guarded(load(fmt::format("desync-guardian/{}.yaml", file)))) {
      const auto bytes = with_host(
          fmt::format("{} {} {}\r\n{}\r\n", one.line[0], one.line[1], one.line[2], one.fields));
      const auto answer = read_head(bytes, {});
      CAPTURE(one.name);
      CAPTURE(to_valid_utf8(bytes));
      ++seen[one.tier];
      const bool refused = answer.kind == GateAnswer::Kind::refuse;
      if (one.tier == "Severe") CHECK(refused);
      // 411 is our answer to every chunked request, 400 to targets that are no path.
      if (one.tier == "Compliant" && refused && answer.status != 411) {
        CHECK(answer.why == "the target is not a path");
      }
    }
  }
  if (!seen.empty()) {
    CHECK(seen["Severe"] > 50);
    CHECK(seen["Compliant"] > 25);
  }
}

TEST_CASE("HTTP Garden: no payload that told two servers apart smuggles a request in") {
  const auto text = load("garden/TROPHIES.md");
  int payloads = 0;
  int read = 0;
  for (auto at = text.find("Payload: `"); at != std::string::npos;
       at = text.find("Payload: `", at + 1)) {
    const auto end = text.find("`\n", at);
    const auto bytes = with_host(unescape(std::string_view(text).substr(at + 10, end - at - 10)));
    const auto outcome = read_all(bytes);
    ++payloads;
    if (outcome.requests == 0) continue;
    ++read;  // a whole request in front, with one Host, one length or none, and no encoding
    const auto answer = read_head(bytes, {});
    CHECK(answer.request.header("transfer-encoding").empty());
  }
  if (payloads > 0) {
    CHECK(payloads > 60);
    CHECK(read <= 4);
  }
}

TEST_CASE("llhttp: what its strict mode refuses is not read as a whole") {
  int must_fail = 0;
  for (const auto* file : {"connection", "content-length", "finish", "invalid", "method",
                           "pipelining", "sample", "transfer-encoding", "uri"}) {
    const auto text = load(fmt::format("llhttp/request/{}.md", file));
    constexpr std::string_view http = "```http\n";
    constexpr std::string_view log = "```log\n";
    for (auto at = text.find("<!-- meta="); at != std::string::npos;
         at = text.find("<!-- meta=", at + 1)) {
      const auto meta_end = text.find("-->", at);
      const auto meta = parse_json(std::string_view(text).substr(at + 10, meta_end - at - 10));
      if (!meta || find_text(*meta, "type") != "request" || find_bool(*meta, "noScan")) continue;
      const auto begin = text.find(http, meta_end) + http.size();
      const auto end = text.find("```", begin);
      const auto said = text.find(log, end);
      const auto said_end = text.find("```", said + log.size());
      const auto verdict = std::string_view(text).substr(said, said_end - said);
      // To pause before an upgrade is an error code of its, and no fault of the request.
      if (!verdict.contains("error code=") || verdict.contains("Pause on")) continue;
      auto raw = text.substr(begin, end - begin);
      if (raw.ends_with('\n')) raw.pop_back();
      replace_all(raw, "\\\n", "");
      replace_all(raw, "\n", "\r\n");
      const auto bytes = with_host(unescape(raw));
      ++must_fail;
      CAPTURE(file);
      CAPTURE(to_valid_utf8(bytes));
      const auto outcome = read_all(bytes);
      // It knows a list of methods; to us an unknown one is a well-formed word, answered 405.
      const bool unknown_method = bytes.starts_with("ANNOUNCE ") || bytes.starts_with("MKCOLA ");
      CHECK((outcome.status != 0 || outcome.requests == 0 || unknown_method));
    }
  }
  if (must_fail > 0) CHECK(must_fail > 35);
}

}  // namespace vigil::ingress
