#include "daemon/admin/news.hpp"

#include <doctest/doctest.h>

#include "daemon/admin/metrics.hpp"

using namespace vigil;
using namespace vigil::admin;

TEST_CASE("a pattern's star stands for any run of characters") {
  struct Row {
    const char* pattern;
    const char* text;
    bool fits;
  };
  for (const auto& row : {Row{"a", "a", true}, Row{"a", "ab", false}, Row{"*", "", true},
                          Row{"github.*", "github.push", true}, Row{"*.opened", "a.opened", true},
                          Row{"*.opened", "opened", false}, Row{"a*b*c", "axxbyybc", true},
                          Row{"a*b*c", "axxbyyb", false}, Row{"", "", true}, Row{"", "a", false},
                          Row{"**", "x", true}}) {
    CAPTURE(row.pattern);
    CAPTURE(row.text);
    CHECK(matches_pattern(row.pattern, row.text) == row.fits);
  }
}

TEST_CASE("a filter leaves only items that have the member and match") {
  const json::object event{{"topic", "event"}, {"source", "gh"}, {"type", "gh.push"}, {"id", 3}};
  const json::object task{{"topic", "task"}, {"swarm", 3}, {"entity", "a"}, {"case", "k"}};
  const json::object swarm{{"topic", "swarm"}, {"id", 3}, {"entity", "a"}};
  NewsFilter all;
  CHECK(matches(all, event));
  NewsFilter topics;
  topics.topics = {"task", "swarm"};
  CHECK(!matches(topics, event));
  CHECK(matches(topics, task));
  NewsFilter of_swarm;
  of_swarm.swarm = 3;
  CHECK(!matches(of_swarm, event));
  CHECK(matches(of_swarm, task));
  CHECK(matches(of_swarm, swarm));
  of_swarm.swarm = 4;
  CHECK(!matches(of_swarm, task));
  NewsFilter typed;
  typed.type = "gh.*";
  CHECK(matches(typed, event));
  CHECK(!matches(typed, task));
  NewsFilter placed;
  placed.entity = "a";
  placed.case_key = "k";
  CHECK(matches(placed, task));
  CHECK(!matches(placed, swarm));
}

TEST_CASE("an item with line breaks in it stays one data line") {
  const auto text = sse_text({{"topic", "decision"}, {"why", "one\ntwo\r\n\r\ndata: x"}});
  CHECK(text.starts_with("event: decision\ndata: {"));
  CHECK(text.ends_with("}\n\n"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
}

TEST_CASE("numbers for Prometheus have help, type and escaped labels") {
  Exposition out;
  out.family("x_total", Exposition::Type::counter, "What it counts.");
  out.sample(12, label("why", "a\"b\\c\nd"));
  out.gauge("y", "A share.", 0.25);
  out.counter("z_total", "Large.", 12345678901234.0);
  CHECK(out.take() ==
        "# HELP x_total What it counts.\n# TYPE x_total counter\n"
        "x_total{why=\"a\\\"b\\\\c\\nd\"} 12\n"
        "# HELP y A share.\n# TYPE y gauge\ny 0.25\n"
        "# HELP z_total Large.\n# TYPE z_total counter\nz_total 12345678901234\n");
}

TEST_CASE("this process has memory, descriptors and processor time") {
  const auto numbers = read_process_numbers();
  CHECK(numbers.rss_bytes > 1'000'000);
  CHECK(numbers.open_fds >= 3);
  CHECK(numbers.cpu_seconds > 0);
}
