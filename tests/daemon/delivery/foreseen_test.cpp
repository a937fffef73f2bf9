#include "daemon/delivery/foreseen.hpp"

#include <doctest/doctest.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>

#include "daemon/delivery/approval_link.hpp"

using namespace vigil;
using namespace vigil::delivery;
using namespace std::chrono_literals;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-23T12:00:00Z").value();

storage::Action action_with(json::object payload) {
  storage::Action out;
  out.sink = "s";
  out.payload = std::move(payload);
  return out;
}

std::string does(decltype(config::Sink::of) of, json::object payload) {
  config::Sink sink{"s", std::move(of)};
  return foresee(action_with(std::move(payload)), &sink, {}).does;
}

}  // namespace

TEST_CASE("each kind of sink says in one line what it would do") {
  CHECK(does(config::GithubSink{}, {{"repository", "octo/app"}, {"number", 12}, {"body", "hi"}}) ==
        "comment on octo/app#12, at https://api.github.com");
  CHECK(does(config::GithubSink{},
             {{"repository", "octo/app"}, {"sha", "0123456789abcdef"}, {"state", "failure"}}) ==
        "set the status vigild of commit 0123456789ab in octo/app to failure, at "
        "https://api.github.com");
  config::CommandSink command;
  command.argv = {"/usr/bin/systemctl", "restart", "web"};
  CHECK(does(command, {}) ==
        "run `/usr/bin/systemctl restart web` as the daemon's user, with the payload on its "
        "standard input");
  config::SmtpSink smtp;
  smtp.from = "me@example.org";
  CHECK(does(smtp, {{"to", "you@example.org"}, {"subject", "Re: lunch"}}) ==
        "send a mail from me@example.org to you@example.org: Re: lunch");
  CHECK(foresee(action_with({}), nullptr, {}).does ==
        "fail: the sink 's' is not in the configuration");
}

TEST_CASE("what would be edited is shown as lines that go and come") {
  config::Sink sink{"s", config::GithubSink{}};
  const auto before = action_with({{"body", "a\nb\nc\nd\ne\nf"}});
  const auto after = action_with({{"body", "a\nb\nc\nd\nE\nf"}, {"number", 3}});
  const auto shown = foresee(after, &sink, before);
  CHECK(shown.does.starts_with("edit our comment on"));
  CHECK(shown.says == "  ...\n  c\n  d\n- e\n+ E\n  f\n");
  CHECK(foresee(after, &sink, {}).says == "a\nb\nc\nd\nE\nf");
  CHECK(line_changes("same", "same").empty());
  CHECK(line_changes("", "new") == "+ new\n");
}

TEST_CASE("a link opens its proposal until it ends, and nothing else") {
  const auto path = std::filesystem::temp_directory_path() / "vigil-link-secret";
  std::ofstream(path) << "0123456789abcdef0123456789abcdef";
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  config::Approvals approvals;
  approvals.link_url = "https://guard.example.org/";
  approvals.link_expires = 2h;
  ApprovalLinks links;
  CHECK_FALSE(links.apply(approvals).has_value());
  approvals.link_secret = config::SecretRef{"file:" + path.string()};
  REQUIRE(links.apply(approvals).has_value());
  const auto link = links.link(ActionId{12}, noon);
  REQUIRE(link.starts_with("https://guard.example.org/approvals/12?until="));
  const auto target = link.substr(std::string_view("https://guard.example.org").size());
  CHECK(links.opens(target, noon + 2h) == ActionId{12});
  CHECK_FALSE(links.opens(target, noon + 2h + 1s).has_value());
  auto other = target;
  other.replace(other.find("12?"), 2, "13");
  CHECK_FALSE(links.opens(other, noon).has_value());
  auto longer = target;
  longer[longer.find("&proof=") - 1] = '9';
  CHECK_FALSE(links.opens(longer, noon).has_value());
  CHECK_FALSE(links.opens("/approvals/12", noon).has_value());
  CHECK_FALSE(links.opens("/approvals/12?until=1&proof=", noon).has_value());

  storage::Action telling = action_with({{"text", "proposes"}, {"action", 12}});
  telling.key = "v1:3:1:told";
  links.add_to(telling, noon);
  CHECK(telling.payload.at("link").as_string() == link);
  CHECK(telling.payload.at("text").as_string() == "proposes\napprove or deny: " + link);
  storage::Action forged = action_with({{"text", "x"}, {"action", 12}});
  forged.key = "v1:3:1";
  links.add_to(forged, noon);
  CHECK_FALSE(forged.payload.contains("link"));
  std::filesystem::remove(path);
}
