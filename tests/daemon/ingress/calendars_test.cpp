// Watched calendars: a real file read by a real child, a clock that jumps, and a database that is
// closed and opened in between.
#include "daemon/ingress/calendars.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "core/log.hpp"
#include "swarm/process_runner.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

std::string wrapped(const std::string& events) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + events + "END:VCALENDAR\r\n";
}

std::string weekly(const std::string& more = "") {
  return wrapped(
      "BEGIN:VEVENT\r\nUID:weekly\r\nSUMMARY:review\r\nDTSTART;TZID=Europe/"
      "Berlin:20261103T090000\r\n"
      "DTEND;TZID=Europe/Berlin:20261103T100000\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n" +
      more);
}

struct CalendarWorld : ClockedWorld {
  CalendarWorld() : ClockedWorld(parse_rfc3339("2026-11-30T10:00:00Z").value()) {
    set_log_level(LogLevel::off);
    auto& source = settings.sources["diary"];
    source.name = "diary";
    auto& calendar = source.of.emplace<config::Calendar>();
    calendar.path = (path / "diary.ics").string();
    calendar.every = 240h;  // what changes is heard or asked for
    calendar.look_ahead = 14 * 24h;
  }
  ~CalendarWorld() { stop(); }

  void write(const std::string& text) { std::ofstream(path / "diary.ics") << text; }

  asio::awaitable<Result<int>> accept(ingress::Noticed noticed) {
    if (refuse) co_return fail(ErrorCode::busy, "on purpose");
    auto kept = std::make_shared<ingress::Noticed>(std::move(noticed));
    auto committing = writer->commit([kept](storage::Stores& stores) {
      int fresh = 0;
      for (const auto& event : kept->events) {
        fresh += stores.journal.append(event).duplicate ? 0 : 1;
      }
      kept->along(stores);
      return fresh;
    });
    Result<int> fresh = co_await std::move(committing);
    for (std::size_t i = 0; i < kept->events.size(); ++i) {
      told.push_back(
          kept->events[i].type + " " +
          std::string(find_text(kept->payloads[i], "change")
                          .value_or(find_text(kept->payloads[i], "event.local").value_or("?"))));
    }
    co_return fresh;
  }

  void start() {
    calendars.emplace(
        loop.get_executor(), clock,
        [](http::Request) -> asio::awaitable<http::Received> { co_return http::Answer{}; },
        [this] {
          swarm::ProcessLimits limits;  // a build that checks its memory asks for much space
          limits.memory_bytes_max = 100'000'000'000'000;
          return swarm::make_process_runner(loop.get_executor(), clock, bin_dir(),
                                            (path / "reading").string(), limits);
        },
        [this](ingress::Noticed noticed) { return accept(std::move(noticed)); });
    REQUIRE(calendars->apply(settings));
    calendars->start(*reader);
    until([this] { return looks() >= 1; });
  }
  void stop() {
    if (!calendars) return;
    run([this]() -> asio::awaitable<void> {
      auto stopping = calendars->stop();
      co_await std::move(stopping);
    });
    calendars.reset();
  }
  // As a crash does: what was not committed is gone.
  void again() {
    stop();
    close();
    open();
    start();
  }
  std::uint64_t looks() { return calendars->views().at(0).looks; }
  void look() {
    const auto before = looks();
    calendars->poke("diary");
    poll();
    clock.advance_to(clock.now() + 1s);  // it is quiet again
    until([&] { return looks() > before; });
  }
  std::string taken() {
    std::string out;
    for (const auto& one : std::exchange(told, {})) out += (out.empty() ? "" : ", ") + one;
    return out;
  }

  config::Settings settings;
  std::vector<std::string> told;
  bool refuse = false;
  std::optional<ingress::Calendars> calendars;
};

}  // namespace

TEST_CASE("an occurrence is told when it is soon, once, over restarts and clock changes") {
  CalendarWorld world;
  world.write(weekly());
  world.start();
  CHECK(world.taken().empty());  // what is there already is no news
  CHECK(world.calendars->views()[0].occurrences == 2);
  CHECK(world.calendars->views()[0].next_due == parse_rfc3339("2026-12-01T07:45:00Z").value());
  world.pass_until(parse_rfc3339("2026-12-01T07:44:59Z").value());
  CHECK(world.taken().empty());
  world.again();
  CHECK(world.taken().empty());
  world.pass_until(parse_rfc3339("2026-12-01T07:45:00Z").value());
  CHECK(world.taken() == "calendar.soon 2026-12-01T09:00:00");
  world.again();
  world.look();
  CHECK(world.taken().empty());
}

TEST_CASE("what is moved or called off is told, and soon follows it") {
  CalendarWorld world;
  world.write(weekly());
  world.start();
  world.write(
      weekly("BEGIN:VEVENT\r\nUID:weekly\r\nSUMMARY:review\r\nSEQUENCE:1\r\n"
             "RECURRENCE-ID;TZID=Europe/Berlin:20261201T090000\r\n"
             "DTSTART;TZID=Europe/Berlin:20261201T140000\r\n"
             "DTEND;TZID=Europe/Berlin:20261201T150000\r\nEND:VEVENT\r\n"));
  world.look();
  CHECK(world.taken() == "calendar.changed moved");
  world.pass_until(parse_rfc3339("2026-12-01T07:50:00Z").value());
  CHECK(world.taken().empty());
  world.pass_until(parse_rfc3339("2026-12-01T12:45:00Z").value());
  CHECK(world.taken() == "calendar.soon 2026-12-01T14:00:00");
  world.write(
      weekly("BEGIN:VEVENT\r\nUID:weekly\r\nSTATUS:CANCELLED\r\nSEQUENCE:2\r\n"
             "RECURRENCE-ID;TZID=Europe/Berlin:20261208T090000\r\n"
             "DTSTART;TZID=Europe/Berlin:20261208T090000\r\nEND:VEVENT\r\n"));
  world.look();
  CHECK(world.taken().find("calendar.changed cancelled") != std::string::npos);
  world.pass_until(parse_rfc3339("2026-12-08T09:00:00Z").value());
  CHECK(world.taken().find("calendar.soon") == std::string::npos);
}

TEST_CASE("what could not be stored is told later, and a broken file calls nothing off") {
  CalendarWorld world;
  world.write(weekly());
  world.start();
  world.refuse = true;
  world.pass_until(parse_rfc3339("2026-12-01T07:45:00Z").value());
  CHECK(world.taken().empty());
  world.refuse = false;
  world.pass_until(parse_rfc3339("2026-12-01T07:46:00Z").value());
  CHECK(world.taken() == "calendar.soon 2026-12-01T09:00:00");
  world.write("BEGIN:VCARD\r\nhalf a fi");
  world.look();
  CHECK(world.taken().empty());
  CHECK_FALSE(world.calendars->views()[0].trouble.empty());
  CHECK(world.calendars->views()[0].occurrences >= 1);
}
