#include "bench/mail_peers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

extern char** environ;

namespace vigil::bench {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "vigil-mail-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder can be made here");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code error;
    fs::remove_all(path_, error);  // what is left is in the folder for temporary things
  }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

// The exit code; -1: there is no such program.
int run_program(std::vector<std::string> argv, const fs::path& input, const fs::path& output) {
  std::vector<char*> pointers;
  for (auto& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, input.c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int refused =
      ::posix_spawnp(&pid, argv[0].c_str(), &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (refused != 0) return -1;
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

void write_mails(const fs::path& folder, const std::vector<const LabelledMail*>& mails) {
  fs::create_directories(folder);
  for (std::size_t i = 0; i < mails.size(); ++i) {
    std::ofstream(folder / fmt::format("{:05}", i), std::ios::binary) << mails[i]->bytes;
  }
}

std::vector<const LabelledMail*> labelled(const std::vector<const LabelledMail*>& mails,
                                          bool spam) {
  std::vector<const LabelledMail*> out;
  for (const auto* one : mails) {
    if ((one->label == "spam") == spam) out.push_back(one);
  }
  return out;
}

constexpr const char* spamassassin_seconds_max = "600";  // for one of its programs

// What SpamAssassin added to the headers of messages; none when one is missing.
std::optional<std::vector<bool>> verdicts_in(const fs::path& path, std::size_t count) {
  constexpr std::string_view verdict = "X-Spam-Verdict: ";
  constexpr std::string_view number = "X-Number: ";
  std::vector<std::optional<bool>> found(count);
  std::optional<bool> spam;
  std::ifstream file(path, std::ios::binary);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(verdict)) spam = line.substr(verdict.size(), 3) == "Yes";
    if (!spam || !line.starts_with(number)) continue;
    const auto at = std::strtoul(line.c_str() + number.size(), nullptr, 10);
    if (at < count) found[at] = spam;
    spam.reset();
  }
  std::vector<bool> out;
  for (const auto& one : found) {
    if (!one) return std::nullopt;
    out.push_back(*one);
  }
  return out;
}

}  // namespace

std::optional<std::vector<bool>> ask_bogofilter(const std::vector<const LabelledMail*>& learned,
                                                const std::vector<const LabelledMail*>& asked) {
  const Folder work;
  const auto words = (work / "words").string();
  fs::create_directories(words);
  for (const bool spam : {true, false}) {
    for (const auto* one : labelled(learned, spam)) {
      std::ofstream(work / "mail", std::ios::binary) << one->bytes;
      if (run_program({"bogofilter", "-d", words, spam ? "-s" : "-n"}, work / "mail",
                      work / "out") != 0) {
        return std::nullopt;
      }
    }
  }
  std::vector<bool> out;
  for (const auto* one : asked) {
    std::ofstream(work / "mail", std::ios::binary) << one->bytes;
    // 0 spam, 1 ham, 2 unsure: who asks for two classes takes unsure as ham, as its manual says.
    const int code = run_program({"bogofilter", "-d", words}, work / "mail", work / "out");
    if (code < 0 || code > 2) return std::nullopt;
    out.push_back(code == 0);
  }
  return out;
}

// One process for all that is asked: its start takes seconds. Each message has its number in a
// header that its Bayes does not look at, and comes back with a header of the verdict before it.
std::optional<std::vector<bool>> ask_spamassassin(const std::vector<const LabelledMail*>& learned,
                                                  const std::vector<const LabelledMail*>& asked) {
  const Folder work;
  const auto words = (work / "words").string();
  fs::create_directories(words);
  write_mails(work / "spam", labelled(learned, true));
  write_mails(work / "ham", labelled(learned, false));
  const std::string bayes = fmt::format("bayes_path {}/bayes", words);
  // The standard is 200 of each before Bayes says anything; here are fewer.
  const std::vector<std::string> settings{"--prefspath=/dev/null",
                                          "--cf",
                                          bayes,
                                          "--cf",
                                          "bayes_auto_learn 0",
                                          "--cf",
                                          "bayes_min_spam_num 1",
                                          "--cf",
                                          "bayes_min_ham_num 1",
                                          "--cf",
                                          "bayes_ignore_header X-Number",
                                          "--cf",
                                          "report_safe 0",
                                          "--cf",
                                          "clear_headers",
                                          "--cf",
                                          "add_header all Verdict _YESNO_"};
  const auto run = [&](std::vector<std::string> argv, const std::string& path) {
    argv.insert(argv.begin(), {"timeout", spamassassin_seconds_max});
    argv.insert(argv.end(), settings.begin(), settings.end());
    argv.push_back(path);
    return run_program(std::move(argv), "/dev/null", work / "out") == 0;
  };
  for (const auto* kind : {"spam", "ham"}) {
    if (!run({"sa-learn", "--local", fmt::format("--{}", kind)}, (work / kind).string())) {
      return std::nullopt;
    }
  }
  fs::create_directories(work / "asked");
  for (std::size_t i = 0; i < asked.size(); ++i) {
    std::ofstream(work / "asked" / fmt::format("{:05}", i), std::ios::binary)
        << "X-Number: " << i << '\n'
        << asked[i]->bytes;
  }
  if (!run({"spamassassin", "--local"}, (work / "asked").string())) return std::nullopt;
  return verdicts_in(work / "out", asked.size());
}

}  // namespace vigil::bench
