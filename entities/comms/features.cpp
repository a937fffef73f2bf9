#include "entities/comms/features.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "entities/comms/hops.hpp"
#include "entities/comms/origin.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

constexpr std::size_t word_bytes_min = 3;
constexpr std::size_t word_bytes_max = 20;
constexpr int hops_told_max = 8;

class Features {
 public:
  // A whole value as one word.
  void value(std::string_view prefix, std::string_view value) {
    if (full()) return;
    std::string word;
    for (const char c : value.substr(0, 60)) {
      word += static_cast<unsigned char>(c) <= ' ' ? '_' : c;
    }
    if (!word.empty()) add(prefix, word);
  }

  void words(std::string_view prefix, std::string_view text) {
    std::string word;
    for (const char c : text) {
      const bool part = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80 ||
                        c == '$' || c == '\'' || c == '-';
      if (part) {
        word += c;
        continue;
      }
      take(prefix, word);
      if (full()) return;
    }
    take(prefix, word);
  }

  std::string take_all() { return std::move(out_); }

 private:
  bool full() const { return count_ >= features_max; }

  void take(std::string_view prefix, std::string& word) {
    const auto begin = word.find_first_not_of("'-");
    const auto end = word.find_last_not_of("'-");
    const auto core = begin == std::string::npos
                          ? std::string_view()
                          : std::string_view(word).substr(begin, end - begin + 1);
    const bool number = !core.empty() && core.find_first_not_of("0123456789") == std::string::npos;
    if (core.size() >= word_bytes_min && core.size() <= word_bytes_max && !number) {
      add(prefix, lower_text(core));
    } else if (core.size() > word_bytes_max) {
      add(prefix, fmt::format("~long{}", core.size() / 10));
    }
    word.clear();
  }

  void add(std::string_view prefix, std::string_view word) {
    if (full()) return;
    if (!out_.empty()) out_ += ' ';
    out_ += prefix;
    out_ += word;
    ++count_;
  }

  std::string out_;
  std::size_t count_ = 0;
};

void add_people(Features& to, const Mail& mail) {
  if (!mail.from.empty()) {
    const auto& from = mail.from.front();
    to.value("f:", from.address);
    if (const auto at = from.address.rfind('@'); at != std::string::npos) {
      to.value("f:@", std::string_view(from.address).substr(at + 1));
    }
    to.words("f:", from.name);
    if (from.name.empty()) to.value("f:", "~noname");
  }
  for (const auto* list : {&mail.to, &mail.cc}) {
    for (std::size_t i = 0; i < std::min<std::size_t>(list->size(), 5); ++i) {
      to.value("t:", (*list)[i].address);
    }
  }
  const auto many = mail.to.size() + mail.cc.size();
  to.value("t:~", many == 0 ? "nobody" : many == 1 ? "one" : many < 6 ? "some" : "many");
  if (!mail.reply_to.empty() && !mail.from.empty()) {
    to.value("h:reply-to:",
             mail.reply_to.front().address == mail.from.front().address ? "same" : "other");
  }
}

// Which headers are there, and the values of those whose values say what wrote the mail.
void add_headers(Features& to, const Mail& mail) {
  static constexpr std::array<std::string_view, 8> told{"x-mailer",   "user-agent",  "x-priority",
                                                        "importance", "precedence",  "content-type",
                                                        "list-id",    "mime-version"};
  int hops = 0;
  for (const auto& [name, value] : mail.headers) {
    if (name == "received") {
      ++hops;
      if (hops > hops_told_max) continue;
      for (const auto& word : hop_words(value)) to.value("r:", word);
      continue;
    }
    to.value("h:", name);
    if (std::ranges::find(told, name) != told.end()) {
      to.words(fmt::format("h:{}:", name), value.substr(0, value.find("boundary")));
    }
  }
  to.value("h:~hops", fmt::format("{}", std::min(hops, 8)));
  to.value("h:~kind:", origin_of(mail).kind);
  if (mail.message_id.ends_with("@no-id")) to.value("h:", "~noid");
  if (!mail.in_reply_to.empty() || !mail.references.empty()) to.value("h:", "~answer");
  if (!mail.date) to.value("h:", "~nodate");
}

void add_structure(Features& to, const Mail& mail, const HtmlText& html) {
  for (std::size_t i = 0; i < std::min<std::size_t>(mail.part_types.size(), 8); ++i) {
    to.value("m:", mail.part_types[i]);
  }
  for (const auto& charset : mail.charsets) to.value("m:charset:", charset);
  for (const auto& one : mail.attachments) {
    const auto dot = one.name.rfind('.');
    if (dot != std::string::npos) to.value("m:file:", lower_ascii(one.name.substr(dot)));
  }
  for (const auto& defect : mail.defects) to.value("m:~", defect);
  for (std::size_t i = 0; i < std::min<std::size_t>(html.hosts.size(), 20); ++i) {
    to.value("l:", html.hosts[i]);
  }
  if (html.hidden > 0) to.value("b:", "~hidden");
  if (html.forms > 0) to.value("b:", "~form");
  if (html.mismatched_links > 0) to.value("b:", "~otherlink");
  if (html.images > 0) to.value("b:~images:", html.images > 3 ? "many" : "some");
  if (!mail.html.empty() && mail.plain.empty()) to.value("b:", "~onlyhtml");
}

// Shouting, and signs that stand in numbers.
void add_manner(Features& to, const Mail& mail, std::string_view text) {
  const auto count = [](std::string_view in, auto is) { return std::ranges::count_if(in, is); };
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto letters =
      count(mail.subject, [](char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; });
  if (letters > 8 && count(mail.subject, upper) * 10 > letters * 7) to.value("s:", "~shouts");
  if (mail.subject.ends_with('!')) to.value("s:", "~!");
  if (mail.subject.ends_with('?')) to.value("s:", "~?");
  if (mail.subject.find("   ") != std::string::npos) to.value("s:", "~blanks");
  if (mail.subject.empty()) to.value("s:", "~none");
  const auto signs = count(text, [](char c) { return c == '!'; });
  if (signs > 2) to.value("b:~!", signs > 9 ? "many" : "some");
  const auto money = count(text, [](char c) { return c == '$'; });
  if (money > 1) to.value("b:~$", money > 9 ? "many" : "some");
  if (text.find("\n>") != std::string_view::npos) to.value("b:", "~quotes");
}

// Hosts of addresses in running text.
void add_links(Features& to, std::string_view text) {
  int found = 0;
  for (auto at = text.find("://"); at != std::string_view::npos && found < 20;
       at = text.find("://", at + 3)) {
    const auto begin = at >= 5 ? at - 5 : 0;
    const auto host =
        host_of(text.substr(begin, 300)
                    .substr(std::min<std::size_t>(text.substr(begin, 5).find("http"), 4)));
    if (host.empty()) continue;
    to.value("l:", host);
    ++found;
  }
}

}  // namespace

std::string features_of(const Mail& mail, const HtmlText& html, std::string_view text) {
  Features to;
  to.words("s:", mail.subject);
  add_people(to, mail);
  add_headers(to, mail);
  add_structure(to, mail, html);
  add_manner(to, mail, text);
  add_links(to, text);
  to.words("", text);
  return to.take_all();
}

}  // namespace vigil::entities::comms
