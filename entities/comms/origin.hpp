#pragma once
// Who wrote a mail, by its headers: a person, a list, a machine; and what servers said of its
// sender. Pure; any thread.
#include <string>
#include <vector>

#include "entities/comms/mail.hpp"

namespace vigil::entities::comms {

struct Origin {
  std::string kind;  // person, list, bulk, auto_reply, bounce, receipt
  std::string why;
};
// RFC 3834 (automatic answers), RFC 3464 and 8098 (reports), RFC 2919 and 2369 (lists), and what
// programs write that keep none of them.
Origin origin_of(const Mail& mail);

struct MailingList {
  std::string id;
  std::string unsubscribe;
  std::string post;
};
MailingList list_of(const Mail& mail);

// One Authentication-Results header (RFC 8601): the server, and what it says of each method; of
// several the best. `domain` is what the strongest of them vouches for.
struct AuthResult {
  std::string server;
  std::string spf, dkim, dmarc;
  std::string domain;
};
std::vector<AuthResult> auth_results_of(const Mail& mail);
std::optional<AuthResult> parse_auth_results(std::string_view header);

// What the servers that are trusted say: "pass" (DMARC, or SPF or DKIM where there is no DMARC),
// "fail", or "none" when none of them says anything.
std::string verdict_of(const std::vector<AuthResult>& results,
                       const std::vector<std::string>& trusted);

}  // namespace vigil::entities::comms
