#pragma once
// Filters of others, over folders of mails: what they learn from and what they are asked. Blocking.
#include <optional>
#include <string>
#include <vector>

namespace vigil::bench {

struct LabelledMail {
  std::string bytes;
  std::string label;  // spam, ham-easy, ham-hard
  int fold = 0;
};

// Which of `asked` are called spam, after learning from `learned`; none: it is not installed, or
// did not end well.
std::optional<std::vector<bool>> ask_bogofilter(const std::vector<const LabelledMail*>& learned,
                                                const std::vector<const LabelledMail*>& asked);
std::optional<std::vector<bool>> ask_spamassassin(const std::vector<const LabelledMail*>& learned,
                                                  const std::vector<const LabelledMail*>& asked);

}  // namespace vigil::bench
