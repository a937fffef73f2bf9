#include "daemon/mail/credentials.hpp"

#include <doctest/doctest.h>

namespace vigil::mail {
namespace {

std::string cut(std::string said, std::string_view secret) {
  cut_credentials_out(said, "ann", secret);
  return said;
}

TEST_CASE("credentials are written as the standards say") {
  CHECK(plain_credentials("tim", "tanstaaftanstaaf") ==
        "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");  // RFC 4616
  CHECK(
      xoauth2_credentials("someuser@example.com",
                          "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg") ==
      "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJo"
      "ZG1semRHRXVZMjl0Q2cBAQ==");  // Gmail's documentation of XOAUTH2
}

TEST_CASE("what a server repeats of a login is told without the secret") {
  CHECK(cut("no AUTH PLAIN AGFubgBwYXNzd29yZCE= here", "password!") == "no AUTH PLAIN *** here");
  CHECK(cut("unknown: LOGIN \"ann\" \"pass\\\\word!\"", "pass\\word!") ==
        "unknown: LOGIN \"ann\" \"***\"");
  CHECK(cut("password! is wrong, password!", "password!") == "*** is wrong, ***");
  CHECK(cut("XOAUTH2 " + xoauth2_credentials("ann", "ya29.token"), "ya29.token") == "XOAUTH2 ***");
  CHECK(cut("the mailbox is full", "password!") == "the mailbox is full");
}

TEST_CASE("a secret too short to be told from other words stays") {
  CHECK(cut("no user", "no") == "no user");
}

}  // namespace
}  // namespace vigil::mail
