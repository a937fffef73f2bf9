#include "bench/mail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>

#include "bench/figure.hpp"
#include "bench/mail_peers.hpp"
#include "core/json.hpp"
#include "entities/comms/look_at_mail.hpp"
#include "entities/comms/triage.hpp"

namespace vigil::bench {
namespace {

namespace fs = std::filesystem;
namespace comms = entities::comms;

constexpr int folds = 5;

// One mailbox in the mboxrd form: lines that begin with ">From " had one ">" less.
void read_mailbox(const fs::path& path, const std::string& label, std::vector<LabelledMail>& to) {
  std::ifstream file(path, std::ios::binary);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("From ")) {
      to.push_back({"", label, 0});
      continue;
    }
    if (to.empty()) continue;
    const auto mark = line.find_first_not_of('>');
    const bool quoted = mark != std::string::npos && mark > 0 && line.substr(mark, 5) == "From ";
    to.back().bytes += (quoted ? line.substr(1) : line) + "\n";
  }
}

// Each label evenly over the folds, in an order that the seed decides.
void deal(std::vector<LabelledMail>& mails, unsigned seed) {
  std::mt19937 random(seed);
  for (const auto* label : {"spam", "ham-easy", "ham-hard"}) {
    std::vector<LabelledMail*> of_label;
    for (auto& one : mails) {
      if (one.label == label) of_label.push_back(&one);
    }
    std::ranges::shuffle(of_label, random);
    for (std::size_t i = 0; i < of_label.size(); ++i)
      of_label[i]->fold = static_cast<int>(i % folds);
  }
}

struct Counted {
  int right = 0;
  int all = 0;
  int spam_found = 0;
  int spam = 0;
  int easy_lost = 0;
  int hard_lost = 0;

  void count(const LabelledMail& mail, bool called_spam) {
    const bool is_spam = mail.label == "spam";
    ++all;
    right += is_spam == called_spam ? 1 : 0;
    spam += is_spam ? 1 : 0;
    spam_found += is_spam && called_spam ? 1 : 0;
    easy_lost += mail.label == "ham-easy" && called_spam ? 1 : 0;
    hard_lost += mail.label == "ham-hard" && called_spam ? 1 : 0;
  }
  double accuracy() const { return all == 0 ? 0 : static_cast<double>(right) / all; }
};

double processor_ms() { return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct Ours {
  Counted counted;
  double read_ms = 0;      // of one mail
  double classify_ms = 0;  // likewise
};

Ours ask_ours(const std::vector<LabelledMail>& mails) {
  Ours out;
  auto begun = processor_ms();
  std::vector<std::string> features;
  for (const auto& one : mails) {
    const auto facts = json::value(comms::facts_of(comms::read_mail(one.bytes)));
    features.emplace_back(find_text(facts, "features").value_or(""));
  }
  const auto many = static_cast<double>(mails.size());
  out.read_ms = (processor_ms() - begun) / many;
  for (int fold = 0; fold < folds; ++fold) {
    comms::Triage triage;
    for (std::size_t i = 0; i < mails.size(); ++i) {
      if (mails[i].fold == fold) continue;
      const auto learned = triage.learn(fmt::format("{}", i), features[i],
                                        mails[i].label == "spam" ? "spam" : "inbox");
      if (!learned) throw std::runtime_error(learned.error().message);
    }
    begun = processor_ms();
    for (std::size_t i = 0; i < mails.size(); ++i) {
      if (mails[i].fold != fold) continue;
      out.counted.count(mails[i], triage.classify(features[i]).of_class == "spam");
    }
    out.classify_ms += (processor_ms() - begun) / many;
  }
  return out;
}

using Ask = std::optional<std::vector<bool>> (*)(const std::vector<const LabelledMail*>&,
                                                 const std::vector<const LabelledMail*>&);

std::optional<Counted> ask_peer(const std::vector<LabelledMail>& mails, Ask ask, int folds_asked) {
  Counted out;
  for (int fold = 0; fold < folds_asked; ++fold) {
    std::vector<const LabelledMail*> learned;
    std::vector<const LabelledMail*> asked;
    for (const auto& one : mails) (one.fold == fold ? asked : learned).push_back(&one);
    const auto answers = ask(learned, asked);
    if (!answers) return std::nullopt;
    for (std::size_t i = 0; i < asked.size(); ++i) out.count(*asked[i], (*answers)[i]);
  }
  return out;
}

Figure figure_of(std::string metric, const Counted& counted) {
  Figure figure;
  figure.bench = "mail";
  figure.metric = std::move(metric);
  figure.value = counted.accuracy();
  figure.unit = "of 1";
  figure.beside["mails"] = counted.all;
  figure.beside["spam_found"] = fmt::format("{}/{}", counted.spam_found, counted.spam);
  figure.beside["easy_ham_called_spam"] = counted.easy_lost;
  figure.beside["hard_ham_called_spam"] = counted.hard_lost;
  return figure;
}

void print_time(const char* metric, double ms) {
  Figure figure;
  figure.bench = "mail";
  figure.metric = metric;
  figure.value = ms;
  figure.unit = "ms";
  figure.aim = "< 2";
  figure.met = ms < 2;
  print(figure);
}

}  // namespace

void run_mail(Pace pace, const std::string& directory) {
  std::vector<LabelledMail> mails;
  for (const auto* label : {"spam", "ham-easy", "ham-hard"}) {
    read_mailbox(fs::path(directory) / "labelled" / fmt::format("{}.mbox", label), label, mails);
  }
  if (mails.empty()) {
    fmt::print(stderr, "skipped: {} holds no labelled mails\n", directory);
    return;
  }
  const unsigned seeds = pace == Pace::quick ? 1 : 5;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    deal(mails, seed);
    const auto ours = ask_ours(mails);
    auto figure =
        figure_of(fmt::format("spam told from the rest, folds of seed {}", seed), ours.counted);
    figure.beside["naive_bayes"] = 0.8725;
    figure.aim = ">= 0.97, no easy ham called spam";
    figure.met = figure.value >= 0.97 && ours.counted.easy_lost == 0;
    print(figure);
    if (seed == 1) {
      print_time("to read a mail (processor time)", ours.read_ms);
      print_time("to tell its class (processor time)", ours.classify_ms);
    }
  }
  deal(mails, 1);
  const int folds_asked = pace == Pace::quick ? 1 : folds;
  for (const auto& [name, ask] : {std::pair<const char*, Ask>{"bogofilter", ask_bogofilter},
                                  std::pair<const char*, Ask>{"SpamAssassin", ask_spamassassin}}) {
    const auto counted = ask_peer(mails, ask, folds_asked);
    if (!counted) {
      fmt::print(stderr, "skipped: {} is not installed, or did not end well\n", name);
      continue;
    }
    print(figure_of(fmt::format("{} on {} of these folds", name, folds_asked), *counted));
  }
}

}  // namespace vigil::bench
