// Templates of lines: learned while lines stream by, bounded, kept from run to run.
#include <fmt/format.h>

#include <doctest/doctest.h>
#include <boost/json/array.hpp>

#include "bench/logs_truth.hpp"
#include "entities/logs/mask.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::logs;

namespace {

std::string template_of(Miner& miner, std::string_view message) {
  return miner.find(miner.observe(message).id)->text();
}

}  // namespace

TEST_CASE("lines of real logs are grouped as the statements that wrote them") {
  const std::filesystem::path folder = source_dir() + "/../shared/data/logs/loghub";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: there are no logs at " << folder.string());
    return;
  }
  double sum = 0;
  int sets = 0;
  for (const auto& set : bench::log_sets) {
    const auto log = bench::read_log_set(folder, set.name);
    if (log.lines.empty()) continue;
    CAPTURE(set.name);
    const double accuracy = bench::grouping_accuracy(bench::mined_groups(log.lines), log.events);
    CHECK(accuracy >= 0.98);
    sum += accuracy;
    ++sets;
  }
  REQUIRE(sets > 0);
  CHECK(sum / sets >= 0.99);
}

TEST_CASE("values of known forms are put aside at once") {
  Miner miner;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Received block blk_38 of size 67108864 from /10.251.91.84",
       "Received block blk_<number> of size <number> from /<address>"},
      {"open /var/log/x.log: no such file", "open <path>: no such file"},
      {"GET https://example.com/a?b=c took 12ms", "GET <path> took <number>"},
      {"peer fe80::1ff:fe23:4567:890a is gone", "peer <address> is gone"},
      {"request 1f0e9c3a-0b7d-4a0e-9a51-0242ac120002 failed", "request <id> failed"},
      {"reverse mapping for ns.example.com failed", "reverse mapping for <host> failed"},
      {"at java.io.IOException: closed", "at java.io.IOException: closed"},
      {"address 0x00004ed8 in eb0057a1", "address <number> in <number>"},
      {"delta -12.5 to +3", "delta <number> to <number>"},
      {"copy to 10.0.0.1:80 10.0.0.2:80 10.0.0.3:80 ends", "copy to <address>:<number> ends"},
      {"since Sat Jul  9 11:35:59 2005", "since <number>"},
  };
  for (const auto& [message, expected] : cases) {
    CAPTURE(message);
    CHECK(template_of(miner, message) == expected);
  }
}

TEST_CASE("words that differ alone become a value once there are enough of them") {
  Miner miner;
  const auto first = miner.observe("Backup of volume alpha is complete").id;
  CHECK(miner.observe("Backup of volume beta is complete").id != first);
  CHECK(miner.observe("Backup of volume gamma is complete").is_new);
  const auto fourth = miner.observe("Backup of volume delta is complete");
  CHECK(fourth.absorbed.size() == 3);
  CHECK(miner.size() == 1);
  CHECK(template_of(miner, "Backup of volume omega is complete") ==
        "Backup of volume <*> is complete");
  CHECK(miner.find(fourth.id)->lines == 5);
}

TEST_CASE("a first word becomes a value only after many, and when the rest says enough") {
  Miner miner;
  const char* const names[] = {"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"};
  for (const auto* name : names) (void)miner.observe(fmt::format("{} has joined us", name));
  CHECK(miner.size() == 1);
  CHECK(template_of(miner, "ivan has joined us") == "<*> has joined us");
  CHECK(miner.find(miner.observe("judy has joined us").id)->lines == 10);
  for (const auto* name : names) (void)miner.observe(fmt::format("{} startup succeeded", name));
  CHECK(miner.size() == 9);
  Miner after;
  after.load(miner.to_json());
  CHECK_FALSE(after.observe("kim has joined us").is_new);
}

TEST_CASE("what a few words say stays apart") {
  Miner miner;
  (void)miner.observe("link eth0 is up");
  (void)miner.observe("link eth0 is down");
  CHECK(miner.size() == 2);
}

TEST_CASE("the templates seen last are kept when there are too many") {
  Miner miner({.templates_max = 50});
  std::size_t forgotten = 0;
  for (int i = 0; i < 500; ++i) {
    std::string word;
    for (int n = i + 1; n > 0; n /= 7) word += static_cast<char>('a' + n % 7);
    forgotten += miner.observe(word + " says something").forgotten.size();
    CHECK_FALSE(miner.observe("the one that comes again").is_new == (i > 0));
  }
  CHECK(miner.size() == 50);
  CHECK(forgotten > 400);
}

TEST_CASE("templates go through JSON and on with the same ids") {
  Miner before;
  for (const auto* volume : {"alpha", "beta", "gamma", "delta"}) {
    (void)before.observe(fmt::format("Backup of volume {} is complete", volume));
  }
  const auto id = before.observe("Bytes \xff\xfe that are no text 7").id;
  const auto text = to_text(before.to_json());
  Miner after;
  after.load(parse_json(text)->as_array());
  CHECK(after.size() == before.size());
  const auto again = after.observe("Bytes \xff\xfe that are no text 8");
  CHECK(again.id == id);
  CHECK_FALSE(again.is_new);
  CHECK_FALSE(after.observe("Backup of volume omega is complete").is_new);
  CHECK(after.observe("something else").id > id);
}

TEST_CASE("a state that is no state is left out") {
  Miner miner;
  miner.load(parse_json(R"([1, null, {}, {"id": -1, "lines": 1, "tokens": []},
    {"id": 1, "lines": 1, "tokens": [1]}, {"id": 2, "lines": 3, "tokens": ["a", "b"]},
    {"id": 2, "lines": 3, "tokens": ["a", "c"]}])")
                 ->as_array());
  CHECK(miner.size() == 1);
}

TEST_CASE("hostile lines neither crash nor grow") {
  Miner miner({.templates_max = 20});
  const std::string cases[] = {"",
                               " ",
                               std::string(100, '\0'),
                               std::string(line_bytes_max, 'x'),
                               std::string(line_bytes_max, '['),
                               std::string(line_bytes_max, ':'),
                               std::string(line_bytes_max, '1'),
                               std::string(200, '.') + "/",
                               "\xff\xff\xff",
                               "\x01\x02\x03 <*> <number>",
                               "://://",
                               "C:\\",
                               "/",
                               "0x",
                               "::",
                               "...",
                               "-",
                               "@4"};
  for (const auto& line : cases) {
    CAPTURE(line.substr(0, 40));
    const auto tokens = masked_tokens(read_line(line, TimePoint{}).content);
    CHECK(tokens.size() <= tokens_max);
    for (const auto& token : tokens) CHECK(token.size() <= token_bytes_max + 2);
    (void)miner.observe(read_line(line, TimePoint{}).content);
  }
  std::string words;
  for (int i = 0; i < 5'000; ++i) words += "w ";
  CHECK(masked_tokens(words).size() == tokens_max);
}
