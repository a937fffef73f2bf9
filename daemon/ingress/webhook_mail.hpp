#pragma once
// Mail as providers post it: Mailgun (routes, form), SendGrid (Inbound Parse, form), Postmark
// (inbound, JSON). Where the provider gives the raw message it is taken; else it is put together
// again, so that all mail is read in one place. What the fields say is not interpreted here: their
// bytes and charsets go into the message as they are. Pure; any thread.
// https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store,
// https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook,
// https://postmarkapp.com/developer/webhooks/inbound-webhook
#include <span>
#include <string>
#include <vector>

#include "config/secret.hpp"
#include "config/settings.hpp"
#include "daemon/ingress/form_data.hpp"
#include "daemon/ingress/http_server.hpp"

namespace vigil::ingress {

bool is_mail_scheme(config::Scheme scheme);

struct PostedMail {
  std::string from;  // of the envelope
  std::vector<std::string> recipients;
  std::string raw;
};

// ErrorCode::unauthorized: Mailgun's signature, which stands in the form, is not right. (The others
// are proven before.)
Result<PostedMail> read_posted_mail(const config::Webhook& settings,
                                    std::span<const config::Secret> secrets, const Request& request,
                                    TimePoint now);

}  // namespace vigil::ingress
