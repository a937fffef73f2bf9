#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "entities/codebase/secrets.hpp"
#include "tests/support/places.hpp"

using namespace vigil::entities::codebase;
namespace fs = std::filesystem;

namespace {

// Keys for tests are put together here, so that nobody's scanner takes this file for a leak. The
// characters are random and were never issued.
const std::string mixed36 =
    "q7Rz0LmX9tVb2KcW5yNd"
    "8PfJ3sHg6TaE1uQo";
const std::string hex64 =
    "9f8e1c3b7a5d2046e1b3c5d7f9a80b2c"
    "4d6e8fa1b3c5d7e9f0a2b4c6d8eaf013";

std::string hex(std::size_t count) { return hex64.substr(0, count); }
std::string mixed(std::size_t count) {
  std::string all;
  while (all.size() < count) all += mixed36;
  return all.substr(0, count);
}

std::vector<std::string> rules_of(const std::string& line, const std::string& path = "src/a.py") {
  std::vector<std::string> rules;
  for (const auto& hit : secrets_in_line(line, path)) rules.push_back(hit.rule);
  return rules;
}

Diff diff_adding(const std::string& path, const std::vector<std::string>& lines) {
  Diff diff;
  auto& file = diff.files.emplace_back();
  file.new_path = path;
  int number = 0;
  for (const auto& line : lines) file.added.push_back({++number, line});
  return diff;
}

struct Row {
  std::string rule;
  std::string line;
};
const std::vector<Row> known_formats = {
    {"private-key", std::string("-----BEGIN RSA ") + "PRIVATE KEY-----"},
    {"private-key", std::string("-----BEGIN ") + "PRIVATE KEY-----"},
    {"private-key", std::string("\"-----BEGIN OPENSSH ") + "PRIVATE KEY-----\\nb3Bl\""},
    {"aws-access-key",
     "key = AK"
     "IA"
     "Q3EGRIK7WJ5MZT4X"},
    {"aws-secret-key", "aws_secret_access_key = " + mixed(36) + "/+aB"},
    {"github-token",
     "token: gh"
     "p_" +
         mixed(36)},
    {"github-fine-token",
     "github"
     "_pat_" +
         mixed(22) + "_" + mixed(59)},
    {"gitlab-token",
     "gl"
     "pat-" +
         mixed(20)},
    {"slack-token",
     "xo"
     "xb-709182736451-" +
         mixed(24)},
    {"slack-webhook",
     "https://hooks."
     "slack.com/services/T01ABCDE2/B03FGHIJ4/" +
         mixed(24)},
    {"stripe-live-key",
     "sk"
     "_live_" +
         mixed(24)},
    {"stripe-test-key",
     "sk"
     "_test_" +
         mixed(24)},
    {"google-api-key",
     "key=AI"
     "za" +
         mixed(35)},
    {"google-oauth-secret",
     "\"GOC"
     "SPX-" +
         mixed(28) + "\""},
    {"npm-token",
     "//host/:_authToken=np"
     "m_" +
         mixed(36)},
    {"pypi-token",
     "py"
     "pi-AgEIcHlwaS5vcmc" +
         mixed(60)},
    {"rubygems-token",
     "ruby"
     "gems_" +
         hex(48)},
    {"docker-token",
     "dckr"
     "_pat_" +
         mixed(27)},
    {"openai-key", "sk-" + mixed(20) +
                       "T3Blbk"
                       "FJ" +
                       mixed(20)},
    {"anthropic-key",
     "sk-"
     "ant-api03-" +
         mixed(93) + "AA"},
    {"sendgrid-key",
     "S"
     "G." +
         mixed(22) + "." + mixed(36) + "k3J8s2L"},
    {"mailchimp-key", hex(32) + "-us"
                                "12"},
    {"twilio-key",
     "twilio_key = 'S"
     "K" +
         hex(32) + "'"},
    {"digitalocean-token",
     "do"
     "p_v1_" +
         hex(64)},
    {"shopify-token",
     "shp"
     "at_" +
         hex(32)},
    {"telegram-token",
     "7091827364:"
     "AA" +
         mixed(33)},
    {"azure-storage-key",
     "Account"
     "Key=" +
         mixed(86) + "==;"},
    {"vault-token",
     "hv"
     "s." +
         mixed(90)},
    {"databricks-token",
     "da"
     "pi" +
         hex(32)},
    {"grafana-token",
     "gl"
     "sa_" +
         mixed(32) + "_" + hex(8)},
    {"password-in-address",
     "postgres://app:t7Kq"
     "9wLz@db.internal:5432/x"},
    {"json-web-token",
     "ey"
     "J" +
         mixed(30) +
         ".ey"
         "J" +
         mixed(40) + "." + mixed(43)},
    {"assigned-secret", "client_secret = \"" + mixed(24) + "\""},
    {"assigned-secret", "\"apiKey\": '" + hex(32) + "'"},
};

}  // namespace

TEST_CASE("every known format is recognised by its name") {
  for (const auto& row : known_formats) {
    CAPTURE(row.rule);
    const auto found = rules_of(row.line);
    REQUIRE(found.size() == 1);
    CHECK(found[0] == row.rule);
  }
}

TEST_CASE("what only resembles a secret is left alone") {
  for (const std::string& line : std::vector<std::string>{
           "AWS_KEY = AK"
           "IAIOSFODNN7EXAMPLE",
           "password = \"changeme-please-1\"",
           "token = os.environ['GITHUB_TOKEN_VALUE_2']",
           "token: \"${{ secrets.DEPLOY_TOKEN_12345 }}\"",
           "password: \"{{ vault_db_password_12 }}\"",
           "secret = \"xxxxxxxxxxxxxxxxxxxxxxxx\"",
           "api_key = \"<your-api-key-here-123>\"",
           "gh"
           "p_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
           "gh"
           "p_000000000000000000000000000000000000",
           "\"integrity\": \"sha512-" + mixed(80) + "\"",
           "commit 2e61073714b1c9d8f7a6e5d4c3b2a19081726354",
           "access_token_name = \"x-access-token-header\"",
           "http://user:password@example.com/",
           "git clone https://user:${TOKEN_FOR_IT}@github.com/o/r",
           "the secret: 'knowing when to stop'",
           "def password_reset(token: str, key: int) -> None:",
           "secret_name = \"projects/1234/secrets/db-main/versions/12\"",
           "private_key_path = '/etc/ssl/private/server1.key'",
           "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 me@host",
           "url = https://example.com/a?token=abc",
           "key: gh"
           "p_" +
               mixed(36) + "  # gitleaks:allow",
       }) {
    CAPTURE(line);
    CHECK(rules_of(line).empty());
  }
  CHECK(rules_of("client_secret = \"" + mixed(24) + "\"", "tests/fixtures/a.py").empty());
  CHECK(rules_of("\"secret\": \"" + mixed(24) + "\"", "web/package-lock.json").empty());
}

TEST_CASE("files of settings need no quotes around a secret") {
  const std::string line = "export DB_PASSWORD=" + mixed(20);
  CHECK(rules_of(line, ".env") == std::vector<std::string>{"setting-secret"});
  CHECK(rules_of("  api_key: " + mixed(24) + "  # mine", "deploy/app.yaml").size() == 1);
  CHECK(rules_of("db.password=" + mixed(16), "app.properties").size() == 1);
  CHECK(rules_of(line, "run.sh") == std::vector<std::string>{"exported-secret"});
  CHECK(rules_of("DB_PASSWORD=" + mixed(20), "run.sh").empty());
  CHECK(rules_of("export API_TOKEN_FILE=/run/secrets/api_token_12", "run.sh").empty());
  CHECK(rules_of("token = " + mixed(20), "src/a.py").empty());
  for (const char* fine : {"password: ${DB_PASSWORD_2024}", "secretName: my-app-secret-12",
                           "token_url: https://auth2.example.org/a1b2", "key: value-of-it-12",
                           "PASSWORD=changeme123456", "private_key: /etc/ssl/private/a1.pem",
                           "tokenTTL: 3600s", "api_key: !vault |"}) {
    CAPTURE(fine);
    CHECK(rules_of(fine, "deploy/app.yaml").empty());
  }
}

TEST_CASE("a secret is never given out whole") {
  const std::string secret =
      "gh"
      "p_" +
      mixed36;
  const auto findings = find_secrets(diff_adding("conf/app.ini", {"", "token = " + secret}));
  REQUIRE(findings.size() == 1);
  const auto& finding = findings[0];
  CHECK(finding.line == 2);
  CHECK(finding.severity == Severity::critical);
  const auto told = vigil::to_text(to_json(finding));
  CHECK(told.find(secret) == std::string::npos);
  CHECK(told.find(secret.substr(0, 6)) == std::string::npos);
  CHECK(told.find(secret.substr(10)) == std::string::npos);
  CHECK(finding.title.find("40 characters") != std::string::npos);
}

TEST_CASE("a finding keeps its key when it moves, and gets another for another secret") {
  const auto line = [](char last) {
    return "token = gh"
           "p_" +
           mixed36.substr(0, 35) + last;
  };
  const auto here = find_secrets(diff_adding("a.ini", {line('o')}));
  const auto moved = find_secrets(diff_adding("a.ini", {"", "", line('o')}));
  const auto other = find_secrets(diff_adding("a.ini", {line('Z')}));
  const auto elsewhere = find_secrets(diff_adding("b.ini", {line('o')}));
  REQUIRE(here.size() == 1);
  CHECK(here[0].key == moved.at(0).key);
  CHECK(here[0].key != other.at(0).key);
  CHECK(here[0].key != elsewhere.at(0).key);
}

TEST_CASE("in tests a key weighs less, and a very long line costs no more than its start") {
  const std::string line =
      "token = gh"
      "p_" +
      mixed36;
  CHECK(find_secrets(diff_adding("tests/a.py", {line})).at(0).severity == Severity::high);
  CHECK(rules_of(std::string(5'000'000, 'a') + line).empty());
  CHECK(rules_of(std::string(3, '\xff') + line).size() == 1);
}

TEST_CASE("real patches hold no secrets") {
  const fs::path folder = fs::path(vigil::source_dir()) / "../shared/data/diffs/patches";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  std::size_t lines = 0;
  std::size_t found = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const auto diff = parse_diff(std::string{std::istreambuf_iterator<char>(file), {}});
    for (const auto& one : diff.files) lines += one.added.size();
    for (const auto& finding : find_secrets(diff)) {
      ++found;
      MESSAGE(entry.path().filename().string() << " " << place_of(finding) << " " << finding.title);
    }
  }
  MESSAGE(lines << " added lines, " << found << " findings");
  CHECK(found == 0);
}
