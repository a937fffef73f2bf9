#pragma once
// A load generator: prepared requests over N keep-alive connections, each sending its next when the
// last was answered. Blocking; one thread, epoll.
#include <functional>
#include <string>
#include <vector>

namespace vigil::bench {

struct Load {
  double seconds = 0;
  std::size_t accepted = 0;          // 202
  std::size_t other = 0;             // anything else
  std::string other_example;         // the first such answer
  std::vector<double> latencies_ms;  // sorted
};

// Requests are taken in order, each once.
Load run_load(int port, int connections, const std::vector<std::string>& requests);

constexpr const char* bench_secret = "It's a Secret to Everybody";

// What is sent: the kind of GitHub event and a payload. "500B" is made up; "7KB" (a push) and
// "28KB" (an opened pull request) are real ones out of tests/data.
struct Kind {
  std::string event;
  std::string payload;
};
Kind kind_of(const std::string& name);

// That many different signed webhooks, each with a serial number, one of `subjects` subjects, a
// delivery id and a signature.
std::vector<std::string> signed_requests(const Kind& kind, std::size_t count, std::size_t subjects);

}  // namespace vigil::bench
