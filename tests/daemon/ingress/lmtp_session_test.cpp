// What an LMTP client says, in one piece and byte by byte, and what it is answered.
#include "daemon/ingress/lmtp_session.hpp"

#include <doctest/doctest.h>

#include <random>

namespace vigil::ingress {
namespace {

struct Told {
  std::string said;
  std::vector<LmtpMessage> messages;
};

Told speak(std::string_view bytes, std::size_t step, LmtpSession::Limits limits = {},
           const Result<void>& stored = {}) {
  LmtpSession session(limits, [](auto recipient) { return recipient != "nobody@x"; });
  Told out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    auto turn = session.take(bytes.substr(at, step));
    while (true) {
      out.said += turn.say;
      if (!turn.message) break;
      out.messages.push_back(std::move(*turn.message));
      out.said += session.answer(stored);
      turn = session.take("");
    }
    if (turn.over) break;
  }
  return out;
}

std::string codes_of(const std::string& said) {
  std::string out;
  for (std::size_t at = 0; at < said.size(); at = said.find('\n', at) + 1) {
    if (said[at + 3] != '-') out += said.substr(at, 3) + " ";
  }
  return out;
}

constexpr std::string_view conversation =
    "LHLO mx\r\nMAIL FROM:<a@b> SIZE=10\r\nRCPT TO:<one@x>\r\nRCPT TO:<nobody@x>\r\n"
    "RCPT TO:<two@x>\r\nDATA\r\nSubject: s\r\n\r\n..dot\r\n.\n.\r\nlone\n.\nend\r\n.\r\n"
    "MAIL FROM:<>\r\nRCPT TO:<one@x>\r\nDATA\r\nsecond\r\n.\r\nQUIT\r\n";

TEST_CASE("two messages, however the bytes come") {
  for (const std::size_t step : {1, 3, 17, 10'000}) {
    const auto told = speak(conversation, step);
    CHECK(codes_of(told.said) == "250 250 250 550 250 354 250 250 250 250 354 250 221 ");
    REQUIRE(told.messages.size() == 2);
    CHECK(told.messages[0].from == "a@b");
    CHECK(told.messages[0].recipients == std::vector<std::string>{"one@x", "two@x"});
    // Only CR LF ends a line: what is one message here is one for everybody.
    CHECK(told.messages[0].raw == "Subject: s\r\n\r\n.dot\r\n\n.\r\nlone\n.\nend\r\n");
    CHECK(told.messages[1].from.empty());
    CHECK(told.messages[1].raw == "second\r\n");
  }
}

TEST_CASE("what cannot be stored now is kept by the sender, for each recipient") {
  const auto busy = speak(conversation, 100, {}, fail(ErrorCode::busy, "b"));
  CHECK(codes_of(busy.said) == "250 250 250 550 250 354 451 451 250 250 354 451 221 ");
  const auto full = speak(conversation, 100, {}, fail(ErrorCode::full, "f"));
  CHECK(full.said.find("452 4.3.1") != std::string::npos);
}

TEST_CASE("bounds hold, and what follows is understood") {
  const std::string big = "LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@x>\r\nDATA\r\n" +
                          std::string(300, 'y') + "\r\n" + std::string(5000, 'z') +
                          "\r\n.\r\nNOOP\r\n" + std::string(9000, 'n') + "\r\nQUIT\r\n";
  for (const std::size_t step : {1, 64, 100'000}) {
    const auto told = speak(big, step, {.message_bytes_max = 200});
    CHECK(told.messages.empty());
    CHECK(codes_of(told.said) == "250 250 250 354 552 250 500 221 ");
  }
}

TEST_CASE("out of turn is said to be so") {
  CHECK(
      codes_of(speak("MAIL FROM:<a@b>\r\nLHLO x\r\nRCPT TO:<a@b>\r\nDATA\r\nHELO y\r\n", 7).said) ==
      "503 250 503 503 500 ");
  for (const auto* bad : {"MAIL FROM:a@b", "MAIL FROM:<a b>", "MAIL FROM:<a@b", "MAIL TO:<a@b>"}) {
    CHECK(codes_of(speak("LHLO x\r\n" + std::string(bad) + "\r\n", 5).said) == "250 501 ");
  }
}

TEST_CASE("whatever a client sends, it ends") {
  std::mt19937 random(5);
  const std::string letters = "\r\n.<>: LHOMAIFRCPTDQU@\xff";
  for (int round = 0; round < 2000; ++round) {
    std::string bytes =
        round % 2 == 0 ? "LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@x>\r\nDATA\r\n" : "";
    for (int i = 0; i < 300; ++i) bytes += letters[random() % letters.size()];
    (void)speak(bytes, 1 + random() % 50, {.message_bytes_max = 100});
  }
}

}  // namespace
}  // namespace vigil::ingress
