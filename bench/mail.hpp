#pragma once
// vigil-bench mail: real mails sorted into spam and the rest, five-fold, beside a small naive Bayes
// filter's published figure and beside bogofilter and SpamAssassin over the same folds, where these
// are installed.
#include <string>

#include "bench/ingest.hpp"

namespace vigil::bench {

// `directory` holds labelled/*.mbox and baseline.tsv. Says so when they are absent.
void run_mail(Pace pace, const std::string& directory);

}  // namespace vigil::bench
