// The payloads of seven forges against what others read out of them.
#include "entities/forge_facts.hpp"
#include "tests/support/places.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

using namespace vigil;
using namespace vigil::entities;
namespace fs = std::filesystem;

namespace {

const fs::path webhooks = fs::path(source_dir()) / "../shared/data/webhooks";

json::value read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto parsed = parse_json(text);
  REQUIRE_MESSAGE(parsed.has_value(), path.string());
  return std::move(*parsed);
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> out;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');) out.push_back(field);
  out.resize(8);
  return out;
}

// What of ours stands for a fact of the table, as the payload of GitHub has it.
json::value ours(const ForgeFacts& facts, std::string_view name) {
  const auto flag = [](std::optional<bool> value) { return json::value(value.value_or(false)); };
  const std::string nothing(40, '0');
  if (name == "base_ref") return json::value(facts.target);
  if (name == "head_sha") return json::value(facts.sha);
  if (name == "pr" || name == "issue" || name == "number") return facts.number;
  if (name == "draft") return flag(facts.draft);
  if (name == "merged") return flag(facts.merged);
  if (name == "ref") return json::value(facts.ref);
  if (name == "tag") return json::value(facts.tag);
  if (name == "on_pull_request") return facts.on_pull_request;
  if (name == "after") return json::value(facts.sha.empty() ? nothing : facts.sha);
  if (name == "before") return json::value(facts.before.empty() ? nothing : facts.before);
  if (name == "commits") return facts.commits;
  if (name == "deleted") return flag(facts.deleted);
  if (name == "forced") return flag(facts.forced);
  if (name == "zen") return json::value(facts.body);
  if (name == "ghsa" || name == "adv" || name == "rva_ghsa") return json::value(facts.advisory);
  if (name == "severity" || name == "adv_sev") return json::value(facts.severity);
  if (name == "ecosystem") return json::value(facts.ecosystem);
  if (name == "package" || name == "rva_package") return json::value(facts.package);
  if (name == "patched" || name == "rva_fixed") return json::value(facts.fixed);
  if (name == "rva_range") return json::value(facts.vulnerable);
  return json::value(facts.state);
}

// A member of a golden file; some write its name with a small letter.
const json::value* member(const json::value& golden, std::string name) {
  const auto* found = find_path(golden, name);
  if (found != nullptr) return found;
  const auto dot = name.find('.');
  name[0] = static_cast<char>(std::tolower(name[0]));
  if (dot != std::string::npos) {
    name[dot + 1] = static_cast<char>(std::tolower(name[dot + 1]));
  }
  return find_path(golden, name);
}

std::string word(const json::value& golden, const std::string& name) {
  const auto* found = member(golden, name);
  return found != nullptr && found->is_string() ? std::string(std::string_view(found->get_string()))
                                                : "";
}

std::string type_of(const std::string& forge, const std::string& file, const json::value& data) {
  std::string type = forge == "github-2" ? "github" : forge;
  if (file.starts_with("pr_review")) return type + ".pull_request_review";
  if (file.starts_with("pr_") || file.starts_with("pull_request")) {
    if (forge == "bitbucket") return type + ".pullrequest:" + file.substr(3);
    return type + ".pull_request";
  }
  const bool makes = find_text(data, "ref_type").has_value();
  if (makes) return type + (file.find("delete") != std::string::npos ? ".delete" : ".create");
  return type + "." + file;
}

// Words of theirs that mean ours. "updated" is said of new words and of new commits: we tell them
// apart. A pull request that is deleted from Bitbucket Server is closed there, and deleted here.
std::string action_of(const json::value& golden, const std::string& forge,
                      const std::string& file) {
  auto action = word(golden, "Action");
  // Its changes say that it became a draft, not that it is ready.
  if (forge == "gitlab" && action == "review_ready") return "converted_to_draft";
  if (action == "review_ready") return "ready";
  if (action == "checks_canceled") return "destroyed";
  if (action == "updated" && forge != "bitbucket") return "edited";
  if (file == "pr_deleted") return "deleted";
  return action;
}

void compare(const ForgeFacts& facts, const json::value& golden) {
  const auto space = word(golden, "Repo.Namespace");
  const auto name = word(golden, "Repo.Name");
  CHECK(facts.repository == space + "/" + name);
  if (const auto login = word(golden, "Sender.Login"); !login.empty()) {
    CHECK(facts.sender == login);
  }
  if (const auto sha = word(golden, "Commit.Sha"); !sha.empty() && facts.kind != "tag") {
    CHECK(facts.sha == sha);
  }
  if (const auto before = word(golden, "Before"); before.find_first_not_of('0') != before.npos) {
    CHECK(facts.before == before);
  }
  const std::string issue = member(golden, "Issue.PullRequest.Number") != nullptr ? "Issue." : "";
  if (const auto source = word(golden, issue + "PullRequest.Source"); !source.empty()) {
    CHECK(facts.source == source);
    CHECK(facts.target == word(golden, issue + "PullRequest.Target"));
    CHECK(facts.title == word(golden, issue + "PullRequest.Title"));
  }
  if (const auto sha = word(golden, issue + "PullRequest.Sha"); !sha.empty()) {
    CHECK(facts.sha == sha);
  }
  for (const std::string path : {"PullRequest.Number", "Issue.Number"}) {
    const auto* number = member(golden, path);
    // One golden file has the database's id of a merge request in the place of its number.
    if (number == nullptr || number->to_number<std::int64_t>() > 1'000'000) continue;
    CHECK(facts.number == number->to_number<std::int64_t>());
  }
  if (const auto body = word(golden, "Comment.Body"); !body.empty()) CHECK(facts.body == body);
  if (const auto tag = word(golden, "Release.Tag"); !tag.empty()) CHECK(facts.tag == tag);
  if (const auto status = word(golden, "Execution.Status"); !status.empty()) {
    CHECK(facts.state == status);
  }
  const auto* ref = member(golden, "Ref");
  if (ref != nullptr && ref->is_string()) CHECK(facts.ref == std::string_view(ref->get_string()));
  if (const auto short_name = word(golden, "Ref.Name"); !short_name.empty()) {
    CHECK(facts.ref.ends_with(short_name));
  }
}

}  // namespace

TEST_CASE("every GitHub payload says the facts of the table") {
  if (!fs::exists(webhooks / "github-expected.tsv")) {
    MESSAGE("skipped: no shared data");
    return;
  }
  std::ifstream table(webhooks / "github-expected.tsv");
  std::string line;
  std::getline(table, line);
  int payloads = 0;
  int facts_seen = 0;
  while (std::getline(table, line)) {
    const auto fields = fields_of(line);
    CAPTURE(fields[0]);
    const auto data = read(webhooks / fields[0]);
    const auto type = "github." + fields[1] + (fields[2].empty() ? "" : "." + fields[2]);
    const auto facts = read_forge_facts(type, data);
    CHECK(facts.repository == fields[3]);
    CHECK(facts.sender == fields[4]);
    CHECK_FALSE(facts.kind.empty());
    ++payloads;
    for (const auto& [name, expected] : parse_json(fields[6]).value().as_object()) {
      if (name == "hook_id") continue;  // a number of the forge's own bookkeeping
      CAPTURE(std::string(name));
      const auto found = ours(facts, name);
      CHECK(found == expected);
      ++facts_seen;
    }
  }
  CHECK(payloads == 165);
  CHECK(facts_seen > 250);
}

TEST_CASE("the payloads of seven forges say what another reader of them found") {
  if (!fs::exists(webhooks / "gitlab")) {
    MESSAGE("skipped: no shared data");
    return;
  }
  int compared = 0;
  for (const std::string forge : {"github-2", "gitlab", "gitea", "gogs", "bitbucket", "stash"}) {
    for (const auto& entry : fs::directory_iterator(webhooks / forge)) {
      if (entry.path().extension() != ".golden") continue;
      const auto payload = entry.path().parent_path() / entry.path().stem();
      const auto file = payload.stem().string();
      CAPTURE(forge);
      CAPTURE(file);
      const auto golden = read(entry.path());
      const auto data = read(payload);
      const auto facts = read_forge_facts(type_of(forge, file, data), data);
      compare(facts, golden);
      if (const auto action = action_of(golden, forge, file); !action.empty())
        CHECK(facts.action == action);
      ++compared;
    }
  }
  CHECK(compared == 66);
}

TEST_CASE("payloads of any other shape have no facts, and do no harm") {
  CHECK(read_forge_facts("github.push", json::value()).kind.empty());
  CHECK(read_forge_facts("", json::object{}).kind.empty());
  const auto odd = read_forge_facts(
      "x.y", json::object{{"repository", 5}, {"pull_request", json::array{}}, {"ref", true}});
  CHECK(odd.repository.empty());
  CHECK(to_json(odd).at("kind") == "pull_request");
}
