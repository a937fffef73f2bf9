#include "bench/knowledge.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "bench/figure.hpp"
#include "bench/plain_bm25.hpp"
#include "core/digest.hpp"
#include "core/json.hpp"
#include "entities/knowledge/analysers.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/passages.hpp"

namespace vigil::bench {
namespace {

namespace fs = std::filesystem;
using storage::Passages;
using storage::Ranking;

struct Paragraph {
  std::string id, title, text;
};
struct Question {
  std::string text, id;  // the id of its paragraph
};
struct Set {
  std::string language;
  std::vector<Paragraph> paragraphs;
  std::vector<Question> questions;
};

std::vector<json::value> lines_of(const fs::path& path) {
  std::vector<json::value> out;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) out.push_back(parse_json(line).value());
  return out;
}

std::string text_at(const json::value& value, std::string_view path) {
  return std::string(find_text(value, path).value_or(""));
}

Set read_set(const fs::path& folder, const std::string& language) {
  Set out{language, {}, {}};
  for (const auto& one : lines_of(folder / ("xquad-" + language + "-documents.jsonl"))) {
    out.paragraphs.push_back({text_at(one, "id"), text_at(one, "title"), text_at(one, "text")});
  }
  for (const auto& one : lines_of(folder / ("xquad-" + language + "-questions.jsonl"))) {
    out.questions.push_back({text_at(one, "question"), text_at(one, "doc")});
  }
  return out;
}

// An index in a file of its own, gone at the end.
class Index {
 public:
  Index() : path_(fs::temp_directory_path() / ("vigil-bench-" + random_hex(8) + ".db")) {
    database_ = storage::Database::open(path_, storage::Use::write, storage::Sync::off);
    storage::migrate(*database_, path_).value();
    passages_ = std::make_unique<Passages>(*database_);
  }
  ~Index() {
    passages_.reset();
    database_.reset();
    for (const auto* end : {"", "-wal", "-shm"}) fs::remove(path_ + end);
  }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  void add(const std::vector<Paragraph>& paragraphs) {
    storage::Transaction transaction(*database_);
    std::vector<Passages::Source> sources;
    for (const auto& one : paragraphs) {
      database_->run(
          "INSERT INTO document (entity, key, title, body, taint, updated) "
          "VALUES ('bench', ?, ?, ?, 0, 0)",
          one.id, one.title, one.text);
      sources.push_back({database_->last_id(), "bench", one.title, one.text});
    }
    passages_->put(sources);
    transaction.commit();
  }
  std::uintmax_t bytes() {
    (void)database_->checkpoint(storage::Database::Checkpoint::truncate);
    return fs::file_size(path_);
  }
  Passages& passages() { return *passages_; }

 private:
  std::string path_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Passages> passages_;
};

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

struct Hits {
  double first = 0, five = 0;
};

// Over the questions whose number leaves `fold` when divided by five; -1: all, 5 + n: all but n.
template <class Rank>
Hits hits_of(const Set& set, int fold, Rank rank) {
  Hits out;
  double count = 0;
  for (std::size_t at = 0; at < set.questions.size(); ++at) {
    const int part = static_cast<int>(at % 5);
    if (fold >= 5 ? part == fold - 5 : fold >= 0 && part != fold) continue;
    const auto place = rank(set.questions[at]);
    ++count;
    out.first += place == 1 ? 1 : 0;
    out.five += place >= 1 && place <= 5 ? 1 : 0;
  }
  return {out.first / count, out.five / count};
}

std::size_t rank_in(Passages& passages, const Question& question, const Ranking& ranking) {
  std::size_t place = 0;
  std::vector<std::string> shown;
  for (const auto& hit : passages.find("", question.text, 10, ranking)) {
    if (std::ranges::count(shown, hit.key) > 0) continue;
    shown.push_back(hit.key);
    ++place;
    if (hit.key == question.id) return place;
  }
  return 0;
}

std::vector<Ranking> choices() {
  std::vector<Ranking> out;
  for (const double pair : {0.3, 0.5}) {
    for (const double window : {0.5, 0.9}) {
      for (const double part : {0.3, 0.5}) {
        out.push_back({.part = part, .pair = pair, .window = window});
      }
    }
  }
  return out;
}

void print_share(const std::string& metric, double value, json::object beside,
                 const std::string& aim = "", std::optional<bool> met = {}) {
  Figure figure;
  figure.bench = "knowledge";
  figure.metric = metric;
  figure.value = value;
  figure.unit = "of 1";
  figure.beside = std::move(beside);
  figure.aim = aim;
  figure.met = met;
  print(figure);
}

// The ranking of each fifth is chosen on the other four.
Hits cross_validated(const Set& set, Passages& passages) {
  Hits sum;
  for (int fold = 0; fold < 5; ++fold) {
    Ranking best;
    double most = -1;
    for (const auto& one : choices()) {
      const auto hits = hits_of(set, fold + 5, [&](const Question& question) {
        return rank_in(passages, question, one);
      });
      if (hits.first + hits.five > most) {
        most = hits.first + hits.five;
        best = one;
      }
    }
    const auto hits = hits_of(
        set, fold, [&](const Question& question) { return rank_in(passages, question, best); });
    sum.first += hits.first / 5;
    sum.five += hits.five / 5;
  }
  return sum;
}

void measure_hits(const Set& set, Pace pace) {
  Index index;
  index.add(set.paragraphs);
  std::map<std::string, std::size_t> places;
  for (std::size_t at = 0; at < set.paragraphs.size(); ++at) places[set.paragraphs[at].id] = at;
  std::vector<std::string> texts;
  for (const auto& one : set.paragraphs) texts.push_back(one.text);
  PlainBm25 plain(texts);
  const auto beside = hits_of(set, -1, [&](const Question& question) {
    return plain.rank(question.text, places[question.id]);
  });
  const auto hits = hits_of(
      set, -1, [&](const Question& question) { return rank_in(index.passages(), question, {}); });
  print_share(set.language + ": right paragraph first", hits.first, {{"plain_bm25", beside.first}},
              "above plain BM25", hits.first > beside.first);
  print_share(set.language + ": right paragraph among five", hits.five,
              {{"plain_bm25", beside.five}}, "above plain BM25", hits.five > beside.five);
  if (pace == Pace::quick) return;
  const auto chosen = cross_validated(set, index.passages());
  print_share(set.language + ": first, ranking chosen on other questions", chosen.first,
              {{"plain_bm25", beside.first}});
  print_share(set.language + ": among five, ranking chosen on other questions", chosen.five,
              {{"plain_bm25", beside.five}});
}

// What is answered though no paragraph does, and what is not though one does.
void measure_silence(const Set& set, const Set& other) {
  Index index;
  index.add(set.paragraphs);
  const auto answered = [](Passages& passages, const std::string& question) {
    const auto hits = passages.find("", question, 1);
    return !hits.empty() && entities::knowledge::answers(hits.front());
  };
  double foreign = 0, missed = 0;
  for (const auto& question : other.questions) {
    foreign += answered(index.passages(), question.text) ? 1 : 0;
  }
  for (const auto& question : set.questions) {
    missed += answered(index.passages(), question.text) ? 0 : 1;
  }
  const auto half = static_cast<std::ptrdiff_t>(set.paragraphs.size() / 2);
  Index rest;
  rest.add({set.paragraphs.begin() + half, set.paragraphs.end()});
  double removed = 0, asked = 0;
  for (const auto& question : set.questions) {
    const auto here = std::find_if(set.paragraphs.begin(), set.paragraphs.begin() + half,
                                   [&](const Paragraph& one) { return one.id == question.id; });
    if (here == set.paragraphs.begin() + half) continue;
    ++asked;
    removed += answered(rest.passages(), question.text) ? 1 : 0;
  }
  print_share(set.language + ": answered in the other language",
              foreign / static_cast<double>(other.questions.size()), {});
  print_share(set.language + ": answered though its article is not there", removed / asked, {});
  print_share(set.language + ": not answered though it is there",
              missed / static_cast<double>(set.questions.size()), {});
}

// Paragraphs as the real ones: sentences of two of them, some words exchanged, some new.
class Varied {
 public:
  explicit Varied(const Set& set) : set_(set) {
    for (const auto& one : set.paragraphs) {
      std::string word;
      for (const char c : one.text + " ") {
        if (c != ' ') {
          word += c;
        } else if (!word.empty()) {
          words_.push_back(std::exchange(word, {}));
        }
      }
    }
  }
  Paragraph next() {
    Paragraph out{fmt::format("v{}", count_++), pick_paragraph().title, ""};
    for (int half = 0; half < 2; ++half) {
      const auto& text = pick_paragraph().text;
      std::string word;
      for (const char c : text.substr(0, text.size() / 2) + " ") {
        if (c != ' ') {
          word += c;
          continue;
        }
        const auto chance = random_() % 100;
        if (chance < 40) word = words_[random_() % words_.size()];
        if (chance >= 97) word = fmt::format("term{}", random_() % 200'000);
        out.text += word + " ";
        word.clear();
      }
    }
    return out;
  }

 private:
  const Paragraph& pick_paragraph() { return set_.paragraphs[random_() % set_.paragraphs.size()]; }
  const Set& set_;
  std::mt19937 random_{42};
  std::vector<std::string> words_;
  std::size_t count_ = 0;
};

void ask_all(const Set& set, Passages& passages, const std::string& entity) {
  std::vector<double> times;
  for (const auto& question : set.questions) {
    const auto before = processor_seconds();
    (void)passages.find(entity, question.text, 5);
    times.push_back((processor_seconds() - before) * 1e3);
  }
  std::ranges::sort(times);
  Figure asked;
  asked.bench = "knowledge";
  asked.metric = fmt::format("{}: a question to {}, p99", set.language,
                             entity.empty() ? "all entities" : "one entity");
  asked.value = percentile(times, 0.99);
  asked.unit = "ms of processor";
  asked.beside["median"] = percentile(times, 0.5);
  asked.beside["most"] = times.back();
  asked.beside["paragraphs"] = static_cast<double>(passages.count());
  asked.aim = "< 5 ms at 100,000 paragraphs";
  asked.met = asked.value < 5;
  print(asked);
}

void measure_size(const Set& set, std::size_t count) {
  Index index;
  Varied varied(set);
  const auto begun = processor_seconds();
  for (std::size_t made = 0; made < count;) {
    std::vector<Paragraph> some;
    for (; some.size() < 1'000 && made < count; ++made) some.push_back(varied.next());
    index.add(some);
  }
  const auto took = processor_seconds() - begun;
  const auto paragraphs = static_cast<double>(index.passages().count());
  Figure built;
  built.bench = "knowledge";
  built.metric = set.language + ": paragraphs indexed in a second of one processor";
  built.value = paragraphs / took;
  built.unit = "paragraphs/s";
  built.beside["paragraphs"] = paragraphs;
  built.beside["bytes_per_paragraph"] = static_cast<double>(index.bytes()) / paragraphs;
  print(built);
  for (const auto* entity : {"", "bench"}) ask_all(set, index.passages(), entity);
  // The real paragraphs hold all of what is asked; the others hold pieces of them.
  index.add(set.paragraphs);
  const auto hits = hits_of(
      set, -1, [&](const Question& question) { return rank_in(index.passages(), question, {}); });
  print_share(set.language + ": right paragraph first, amid these variations of it", hits.first,
              {{"among_five", hits.five}});
}

}  // namespace

void run_knowledge(Pace pace, const std::string& directory) {
  const fs::path folder(directory);
  if (!fs::exists(folder / "xquad-en-documents.jsonl")) {
    fmt::print(stderr, "skipped: {} holds no xquad-en-documents.jsonl\n", directory);
    return;
  }
  const auto english = read_set(folder, "en");
  const auto german = read_set(folder, "de");
  for (const auto* set : {&english, &german}) measure_hits(*set, pace);
  measure_silence(english, german);
  measure_silence(german, english);
  const std::size_t count = pace == Pace::quick ? 10'000 : 100'000;
  for (const auto* set : {&english, &german}) measure_size(*set, count);
}

}  // namespace vigil::bench
