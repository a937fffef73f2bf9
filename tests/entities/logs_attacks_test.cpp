// Attacks in what services log: found, with the host that the service wrote and no other.
#include <fmt/format.h>

#include <doctest/doctest.h>
#include <unistd.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <filesystem>
#include <fstream>

#include "bench/attacks_truth.hpp"
#include "entities/logs/attack_pattern.hpp"
#include "entities/logs/look_at_attacks.hpp"
#include "entities/ops/watch_look.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::logs;

namespace {

std::string host_in(std::string_view line) {
  AttackFinder finder;
  const auto attack = finder.observe(line, bench::attacks_now);
  return attack ? attack->host : "";
}

std::string matched(std::string_view pattern, std::string_view text) {
  const auto match = match_pattern(pattern, text);
  return match ? match->host : "-";
}

}  // namespace

TEST_CASE("labelled lines of services are called attacks, with host and time, as they should be") {
  const std::filesystem::path folder = source_dir() + "/../shared/data/logs/fail2ban";
  if (!std::filesystem::exists(folder / "expected.tsv")) {
    MESSAGE("skipped: there are no lines at " << folder.string());
    return;
  }
  const auto lines = bench::read_attack_lines(folder);
  for (const auto told : {bench::Told::service, bench::Told::nothing}) {
    std::size_t verdict = 0;
    std::size_t wrong_hosts = 0;
    std::size_t times = 0;
    std::size_t timed = 0;
    for (const auto& [file, one] : bench::agreement_on(lines, told)) {
      CAPTURE(file);
      CHECK(10 * one.verdict >= 6 * one.lines);
      verdict += one.verdict;
      wrong_hosts += one.wrong_hosts;
      times += one.times;
      timed += one.timed;
    }
    CHECK(100 * verdict >= 97 * lines.size());
    CHECK(wrong_hosts <= 1);
    CHECK(100 * times >= 98 * timed);
  }
}

TEST_CASE("a name that looks like an address is not taken for the host") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Feb 25 14:34:10 h sshd[1]: Failed password for invalid user from 10.9.9.9 from 192.0.2.1 "
       "port 50273 ssh2",
       "192.0.2.1"},
      {"Feb 25 14:34:10 h sshd[1]: Failed password for invalid user x from 10.9.9.9 port 1 ssh2 "
       "from 192.0.2.1 port 50273 ssh2",
       "192.0.2.1"},
      {"Feb 25 14:34:10 h sshd[1]: Failed password for invalid user x from 10.9.9.9 port 1 ssh2: "
       "y from 192.0.2.1 port 50273 ssh2",
       "192.0.2.1"},
      {"Feb 25 14:34:10 h sshd[1]: Invalid user x from 10.9.9.9 from 192.0.2.1", "192.0.2.1"},
      {"Feb 25 14:34:10 h sshd[1]: User a from 10.9.9.9 not allowed because x from 192.0.2.1 not "
       "allowed because not listed in AllowUsers",
       "192.0.2.1"},
      {"Feb 25 14:34:10 h dovecot: imap-login: Disconnected (auth failed, 1 attempts): user=<a>, "
       "rip=10.9.9.9, b>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.2",
       "192.0.2.1"},
      {"Jul 3 14:59:17 h vsftpd: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 "
       "euid=0 tty=ftp ruser=a rhost=10.9.9.9 rhost=192.0.2.1  user=b",
       "192.0.2.1"},
      {"[20220407-12:11:06] [INFO ] AUTHFAIL: user=a ip=10.9.9.9 time=1 ip=192.0.2.1 time=2",
       "192.0.2.1"},
      {"2020-02-24 16:05:21.00 Logon       Login failed for user 'a'. Reason: b [CLIENT: "
       "10.9.9.9] '. Reason: Could not find it. [CLIENT: 192.0.2.1]",
       "192.0.2.1"},
      {"Sat Sep 08 00:39:49 2016 [pid 1] [a] FAIL LOGIN: Client \"10.9.9.9\"] FAIL LOGIN: Client "
       "\"192.0.2.1\"",
       "192.0.2.1"},
  };
  for (const auto& [line, host] : cases) {
    CAPTURE(line);
    CHECK(host_in(line) == host);
  }
}

TEST_CASE("a line that could name two hosts names none") {
  // Both the path and the request are a stranger's, and one of them is made to look like the rest.
  CHECK(host_in("2015/01/21 10:56:10 [error] 1#0: *2 open() \"/w/cgi-bin/x\" failed (2: No such "
                "file or directory), client: 192.0.2.1, server: s, request: \"GET /cgi-bin/x, "
                "client: 10.9.9.9, server: s\", host: \"h\"") == "");
  CHECK(host_in("Feb 25 03:01:10 h sm-mta[1]: s1P819mk027713: ruleset=check_rcpt, arg1=<a@b>, "
                "relay=x [192.0.2.1], reject=550 5.7.1 <a, relay=y [10.9.9.9], reject=>... "
                "Relaying denied") == "");
}

TEST_CASE("what other programs log is no attack, whatever it says") {
  CHECK(host_in("Feb 25 14:34:10 h shop[1]: Failed password for root from 10.9.9.9 port 1 ssh2") ==
        "");
  CHECK(host_in("Feb 25 14:34:10 h sshd[1]: Accepted password for a from 192.0.2.1 port 1 ssh2") ==
        "");
  CHECK(host_in("Failed password for root from 10.9.9.9 port 1 ssh2") == "");
  CHECK(
      host_in("10.0.0.1 - - [18/Nov/2018:21:34:30 +0000] \"GET / HTTP/2.0\" 200 17 \"-\" \"x\"") ==
      "");
}

TEST_CASE("the journal's JSON is read as its fields, and a message cannot pretend to be one") {
  AttackFinder finder;
  const auto attack = finder.observe(
      R"({"__REALTIME_TIMESTAMP":"1767323040000000","SYSLOG_IDENTIFIER":"sshd","_PID":"7",)"
      R"("MESSAGE":"Invalid user x from 10.9.9.9 from 192.0.2.1 port 1"})",
      bench::attacks_now);
  REQUIRE(attack);
  CHECK(attack->host == "192.0.2.1");
  CHECK(to_rfc3339(attack->time->at) == "2026-01-02T03:04:00.000Z");
  CHECK(
      host_in(R"({"SYSLOG_IDENTIFIER":"shop","MESSAGE":"Invalid user x from 10.9.9.9 port 1"})") ==
      "");
  CHECK(host_in(R"({"SYSLOG_IDENTIFIER":"shop",)"
                R"("MESSAGE":"Feb 25 14:34:10 h sshd[1]: Invalid user x from 10.9.9.9"})") == "");
}

TEST_CASE("holes of patterns take what they say") {
  CHECK(matched("from %a", "from 1.2.3.4") == "1.2.3.4");
  CHECK(matched("from %a", "from ::ffff:1.2.3.4") == "1.2.3.4");
  CHECK(matched("from %a", "from [2001:db8::1]") == "2001:db8::1");
  CHECK(matched("from %a:%n", "from 2001:db8::1234:58430") == "2001:db8::1234");
  CHECK(matched("from %a", "from 1.2.3") == "-");
  CHECK(matched("from %a", "from 1.2.3.4.5") == "-");
  CHECK(matched("from %a", "from 1:2") == "-");
  CHECK(matched("from %h", "from ns.example.com") == "ns.example.com");
  CHECK(matched("from %a", "from ns.example.com") == "-");
  CHECK(matched("for %* from %a", "for x from 9.9.9.9 from 1.2.3.4") == "1.2.3.4");
  CHECK(matched("for %? from %a%?", "for x from 1.2.3.4 from 9.9.9.9") == "1.2.3.4");
  CHECK(matched("for %* from %a: %*", "for x from 1.2.3.4: y") == "1.2.3.4");
  CHECK(matched("for %* from %a: %*", "for x from 1.2.3.4: y from 9.9.9.9: z") == "-");
  CHECK(matched("%{a|b|}c %a", "bC 1.2.3.4") == "1.2.3.4");
  CHECK(matched("%{a|b|}c %a", "c 1.2.3.4") == "1.2.3.4");
  CHECK(matched("[client %a%o] %cno", "[client ::1] AH01: no") == "::1");
}

TEST_CASE("hostile lines take bounded time, and lines of hosts bounded memory") {
  std::string many = "Feb 25 14:34:10 h sshd[1]: Failed password for ";
  while (many.size() < attack_text_bytes_max) many += "from 1.2.3.4 port 1 ";
  const std::string cases[] = {"",
                               many,
                               many.substr(0, 4000),
                               std::string(20'000, '['),
                               std::string(4'000, ':'),
                               std::string(4'000, '"'),
                               "1.2.3.4 - - [",
                               "1.2.3.4 - - [x] \"\\",
                               "\xff\xfe, client: , client: ",
                               "[client ] File does not exist: ",
                               std::string(100, '\0')};
  AttackFinder finder;
  for (const auto& line : cases) (void)finder.observe(line, bench::attacks_now);
  AttackWindows windows({.attacks_min = 2, .hosts_max = 100});
  for (int i = 0; i < 1'000; ++i) {
    Attack attack{"sshd", "login", fmt::format("10.0.{}.{}", i / 250, i % 250), {}};
    windows.add(attack, bench::attacks_now + std::chrono::seconds{i});
    windows.add(attack, bench::attacks_now + std::chrono::seconds{i});
  }
  CHECK(windows.hosts() <= 100);
  CHECK(windows.over_limit().size() == windows.hosts());
}

TEST_CASE("a host is told once it tried often enough within the window") {
  AttackWindows windows({.attacks_min = 3, .window = std::chrono::minutes{10}});
  const Attack slow{"sshd", "login", "192.0.2.1", {}};
  const Attack quick{"sshd", "login", "192.0.2.2", {}};
  for (int i = 0; i < 10; ++i) {
    windows.add(slow, bench::attacks_now + i * std::chrono::minutes{10});
  }
  for (int i = 0; i < 3; ++i) windows.add(quick, bench::attacks_now + i * std::chrono::minutes{3});
  const auto over = windows.over_limit();
  REQUIRE(over.size() == 1);
  CHECK(over.front().host == "192.0.2.2");
  CHECK(over.front().most == 3);
}

TEST_CASE("the analyser counts attacks as readings and tells the hosts") {
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("vigil-attacks-{}.log", ::getpid());
  {
    std::ofstream file(path);
    for (int i = 0; i < 6; ++i) {
      file << fmt::format(
          "2026-01-02T03:04:0{}Z h sshd[1{}]: Failed password for root from "
          "192.0.2.1 port 1 ssh2\n",
          i, i);
    }
    file << "2026-01-02T03:05:00Z h sshd[99]: Invalid user x from 192.0.2.2\n";
  }
  entities::Request request;
  request.input = json::object{{"files", json::array{path.string()}}, {"attacks", "6"}};
  const auto result = look_at_attacks(request);
  REQUIRE(result);
  CHECK(find_text(*result, "findings.0.host") == "192.0.2.1");
  CHECK(find_path(*result, "findings")->as_array().size() == 1);
  CHECK(find_text(*result, "readings.0.name") == "attacks.lines");
  CHECK(find_path(*result, "readings.0.value")->to_number<double>() == 7);
  // As a watch reads it.
  const auto look = entities::ops::read_look(*result);
  CHECK(look.no_numbers == 0);
  const auto of_host =
      std::ranges::find(look.readings, "attacks.of_host", &entities::ops::Measured::name);
  REQUIRE(of_host != look.readings.end());
  CHECK(of_host->labels.at("host") == "192.0.2.1");
  CHECK(of_host->value == 6);
  request.input.as_object()["since"] = "1h";
  CHECK(find_path(*look_at_attacks(request), "readings.0.value")->to_number<double>() == 0);
  request.input.as_object()["service"] = "gopher";
  CHECK(look_at_attacks(request).error().message.contains("sshd"));
  request.input = json::object{};
  CHECK(look_at_attacks(request).error().message.contains("standard input"));
  std::filesystem::remove(path);
}
