#include "ctl/render.hpp"

#include <doctest/doctest.h>

using namespace vigil;
using namespace vigil::ctl;
using namespace std::chrono_literals;

namespace {

const TimePoint now = *parse_rfc3339("2026-11-23T10:00:00Z");
const Style plain{.color = false, .width = 0, .now = now};
const Style narrow{.color = false, .width = 30, .now = now};
const Style colored{.color = true, .width = 80, .now = now};

}  // namespace

TEST_CASE("foreign text can neither steer a terminal nor hide") {
  CHECK(safe("plain é 日本 😀") == "plain é 日本 😀");
  CHECK(safe("\033[2J\007") == "\\x1b[2J\\x07");
  CHECK(safe("a\nb\tc\rd") == "a b cd");
  CHECK(safe("\xc2\x9b"
             "31m") == "\\x9b31m");  // C1 control sequence introducer
  CHECK(safe("user\xE2\x80\xAE"
             "gpj.exe") == "user\\u202egpj.exe");
  CHECK(safe("\xff\xfe") == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(safe(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(safe("\x7f") == "\\x7f");
  CHECK(safe_lines("a\nb\033") == "a\nb\\x1b");
  CHECK(text_at(json::value{{"a", "x\033y"}}, "a") == "x\\x1by");
  CHECK(text_at(json::value{{"a", nullptr}}, "a") == "");
  CHECK(text_at(json::value{{"a", {1, 2}}}, "a") == "[1,2]");
  CHECK(text_at(json::value{{"a", 1.0}}, "a") == "1");
  CHECK(text_at(json::value{{"a", 0.25}}, "a") == "0.25");
}

TEST_CASE("text takes the columns a terminal gives it") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("é") == 1);
  CHECK(display_width("e\xCC\x81") == 1);  // a combining accent
  CHECK(display_width("日本") == 4);
  CHECK(display_width("\033[31mred\033[0m") == 3);
  CHECK(cut("abcdef", 6) == "abcdef");
  CHECK(cut("abcdef", 4) == "abc…");
  CHECK(cut("日本語", 4) == "日…");
  CHECK(cut("abc", 0) == "");
}

TEST_CASE("times are told as people tell them") {
  CHECK(relative(now, now) == "now");
  CHECK(relative(now - 500ms, now) == "now");
  CHECK(relative(now - 12s, now) == "12s ago");
  CHECK(relative(now - 3min - 5s, now) == "3m5s ago");
  CHECK(relative(now - 59min - 5s, now) == "59m ago");
  CHECK(relative(now - 5h - 7min - 2s, now) == "5h7m ago");
  CHECK(relative(now - 24h * 9 - 5h, now) == "9d ago");
  CHECK(relative(now + 2h, now) == "in 2h");
  CHECK(relative_at(json::value{{"at", "2026-11-23T09:59:00Z"}}, "at", plain) == "1m ago");
  CHECK(relative_at(json::value{{"at", nullptr}}, "at", plain) == "");
  CHECK(relative_at(json::value{{"at", "soon\033"}}, "at", plain) == "soon\\x1b");
}

TEST_CASE("sizes and durations are rounded for reading") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1536) == "1.5 KiB");
  CHECK(bytes_text(78LL * 1024 * 1024 * 1024) == "78.0 GiB");
  CHECK(duration_at(json::value{{"t", 1'240'000}}, "t") == "1.24s");
  CHECK(duration_at(json::value{{"t", nullptr}}, "t") == "");
}

TEST_CASE("a table aligns its columns, and cuts the last where the terminal ends") {
  Table table({{"ID", Align::right}, {"NAME"}, {"WHY"}});
  CHECK(table.empty());
  table.row({"7", "日本", "because of the many reasons there are"});
  table.row({"12", "b"});
  CHECK(table.text(plain) ==
        "ID  NAME  WHY\n"
        " 7  日本  because of the many reasons there are\n"
        "12  b\n");
  CHECK(table.text(narrow) ==
        "ID  NAME  WHY\n"
        " 7  日本  because of the many…\n"
        "12  b\n");
}

TEST_CASE("colours are there on a terminal only") {
  CHECK(toned("x", Tone::bad, plain) == "x");
  CHECK(toned("x", Tone::bad, colored) == "\033[31mx\033[0m");
  CHECK(toned("", Tone::bad, colored) == "");
  Table table({{"A"}, {"B"}});
  table.row({{"failed", Tone::bad}, "x"});
  CHECK(table.text(plain).find('\033') == std::string::npos);
  CHECK(table.text(colored).find("\033[31mfailed\033[0m  x") != std::string::npos);
  CHECK(tone_of("delivered") == Tone::good);
  CHECK(tone_of("unknown") == Tone::bad);
  CHECK(tone_of("proposed") == Tone::warn);
  CHECK(tone_of("ignored") == Tone::dim);
  CHECK(tone_of("whatever") == Tone::plain);
}

TEST_CASE("bars fill from nothing to all") {
  CHECK(bar(0, 4) == "····");
  CHECK(bar(1, 4) == "████");
  CHECK(bar(0.5, 4) == "██··");
  CHECK(bar(0.55, 4) == "██▎·");
  CHECK(bar(-1, 2) == "··");
  CHECK(bar(7, 2) == "██");
}
