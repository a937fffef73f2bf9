// The gate against its own table of heads (tests/data/http/heads.json): what each reader of HTTP
// has been fooled with, and what must not be lost to strictness.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <fstream>
#include <iterator>
#include <random>

#include "core/json.hpp"
#include "daemon/ingress/gate.hpp"
#include "tests/support/places.hpp"

namespace vigil::ingress {
namespace {

struct Case {
  std::string name;
  std::string bytes;
  std::string verdict;
  json::value expected;
};

// A JSON text whose characters are all below U+0100, as the bytes of these numbers.
std::string bytes_of(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      out += text[at];
    } else {
      const auto low = static_cast<unsigned char>(text[++at]);
      out += static_cast<char>(((byte & 0x03) << 6) | (low & 0x3f));
    }
  }
  return out;
}

std::vector<Case> load_cases() {
  std::ifstream file(source_dir() + "/tests/data/http/heads.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto parsed = parse_json(text);
  REQUIRE(parsed.has_value());
  std::vector<Case> out;
  for (const auto& one : parsed->as_array()) {
    Case made;
    made.name = find_text(one, "name").value();
    made.verdict = find_text(one, "verdict").value();
    for (const auto& piece : find_path(one, "bytes")->as_array()) {
      const auto times = find_integer(piece, "1").value();
      const auto part = bytes_of(find_text(piece, "0").value());
      for (std::int64_t i = 0; i < times; ++i) made.bytes += part;
    }
    made.expected = one;
    out.push_back(std::move(made));
  }
  REQUIRE(out.size() > 150);
  return out;
}

std::string_view verdict_of(const GateAnswer& answer) {
  switch (answer.kind) {
    case GateAnswer::Kind::need_more:
      return "more";
    case GateAnswer::Kind::head:
      return "head";
    case GateAnswer::Kind::refuse:
      return "refuse";
  }
  return "";
}

bool same(const GateAnswer& one, const GateAnswer& other) {
  return one.kind == other.kind && one.head_bytes == other.head_bytes &&
         one.content_length == other.content_length && one.keep_alive == other.keep_alive &&
         one.request.method == other.request.method && one.request.target == other.request.target &&
         one.request.headers == other.request.headers;
}

// As a slow sender's bytes are read: again from the start whenever more have come.
GateAnswer read_in_pieces(std::string_view bytes, std::size_t piece) {
  GateAnswer answer;
  for (std::size_t end = std::min(piece, bytes.size());;
       end = std::min(end + piece, bytes.size())) {
    answer = read_head(bytes.substr(0, end), {});
    if (answer.kind != GateAnswer::Kind::need_more || end == bytes.size()) return answer;
  }
}

}  // namespace

TEST_CASE("each head of the table gets its verdict") {
  for (const auto& one : load_cases()) {
    CAPTURE(one.name);
    const auto answer = read_head(one.bytes, {});
    CHECK(verdict_of(answer) == one.verdict);
    if (answer.kind == GateAnswer::Kind::refuse) {
      CHECK(answer.status == find_integer(one.expected, "status"));
      CHECK_FALSE(answer.why.empty());
    }
    if (answer.kind == GateAnswer::Kind::head) {
      CHECK(static_cast<std::int64_t>(answer.content_length) ==
            find_integer(one.expected, "content_length"));
      CHECK(answer.keep_alive == find_bool(one.expected, "keep_alive"));
      CHECK(one.bytes.substr(answer.head_bytes) ==
            bytes_of(find_text(one.expected, "left").value()));
    }
  }
}

TEST_CASE("the verdict does not depend on how the bytes arrive") {
  for (const auto& one : load_cases()) {
    CAPTURE(one.name);
    const auto whole = read_head(one.bytes, {});
    for (const std::size_t piece : {1u, 2u, 3u, 7u, 64u}) {
      if (one.bytes.size() / piece > 2000) continue;
      const auto pieces = read_in_pieces(one.bytes, piece);
      CHECK(verdict_of(pieces) == verdict_of(whole));
      if (whole.kind == GateAnswer::Kind::head) CHECK(same(pieces, whole));
    }
  }
}

TEST_CASE("a head that is cut anywhere is waited for, never read") {
  for (const auto& one : load_cases()) {
    if (one.verdict != "head" || one.bytes.size() > 2000) continue;
    CAPTURE(one.name);
    const auto whole = read_head(one.bytes, {});
    for (std::size_t end = 0; end < whole.head_bytes; ++end) {
      CAPTURE(end);
      CHECK(verdict_of(read_head(std::string_view(one.bytes).substr(0, end), {})) == "more");
    }
  }
}

TEST_CASE("what was changed at random is read the same way in every split, and never wrongly") {
  constexpr unsigned seed = 20260214;
  std::mt19937 random(seed);
  const auto cases = load_cases();
  const auto pick = [&](std::size_t below) { return std::size_t{random() % below}; };
  using namespace std::string_view_literals;
  constexpr auto spice = "\r\n\0\t :;,=/HT1.0\x7f\x80\xff"sv;
  int heads = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = cases[pick(cases.size())].bytes;
    if (bytes.size() > 500 || bytes.empty()) continue;
    for (std::size_t change = 0, changes = 1 + pick(4); change < changes; ++change) {
      const auto at = pick(bytes.size());
      switch (pick(4)) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.insert(at, 1, spice[pick(spice.size())]);
          break;
        case 2:
          bytes.erase(at, 1 + pick(3));
          break;
        default:
          bytes.insert(at, bytes.substr(pick(bytes.size()), pick(20)));
      }
      if (bytes.empty()) bytes = "\r";
    }
    CAPTURE(seed);
    CAPTURE(to_valid_utf8(bytes));
    const auto whole = read_head(bytes, {});
    const auto pieces = read_in_pieces(bytes, 1 + pick(9));
    REQUIRE(verdict_of(whole) == verdict_of(pieces));
    if (whole.kind != GateAnswer::Kind::head) continue;
    ++heads;
    REQUIRE(same(whole, pieces));
    // Whatever was read, another reader can only agree on where the head and the body end.
    const auto head = std::string_view(bytes).substr(0, whole.head_bytes);
    REQUIRE(head.ends_with("\r\n\r\n"));
    REQUIRE(head.find('\0') == std::string_view::npos);
    for (std::size_t at = 0; at < head.size(); ++at) {
      if (head[at] == '\n') REQUIRE(head[at - 1] == '\r');
      if (head[at] == '\r') REQUIRE(head[at + 1] == '\n');
    }
    REQUIRE(whole.request.header("transfer-encoding").empty());
    REQUIRE(whole.request.target.starts_with('/'));
  }
  CHECK(heads > 100);  // else the changes are too coarse to test anything
}

}  // namespace vigil::ingress
