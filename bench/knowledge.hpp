#pragma once
// vigil-bench knowledge: how often the right paragraph is found first and among the first five,
// beside plain BM25 over the same words; what is answered that should not be; time of a question
// and cost of an index of 100,000 paragraphs.
#include <string>

#include "bench/ingest.hpp"

namespace vigil::bench {

// `directory` holds xquad-LANGUAGE-documents.jsonl and -questions.jsonl. Says so when it is absent.
void run_knowledge(Pace pace, const std::string& directory);

}  // namespace vigil::bench
