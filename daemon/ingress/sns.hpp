#pragma once
// Messages of Amazon SNS over HTTPS: proven by a signature over some of their fields, made with a
// key whose certificate lies at an address of AWS that the message names. Format:
// docs.aws.amazon.com "Verifying the signatures of Amazon SNS messages" and "Parsing Amazon SNS
// message formats". Loop thread only. A crash loses the certificates that were fetched; they are
// fetched again.
#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/json.hpp"
#include "daemon/ingress/fetch.hpp"

namespace vigil::ingress {

// What of a message counts, once its form is right.
struct SnsMessage {
  std::string type;  // Notification, SubscriptionConfirmation, UnsubscribeConfirmation
  std::string topic;
  std::string signed_text;
  std::string signature;  // raw bytes
  bool sha1 = false;      // SignatureVersion 1
  std::string certificate_url;
  std::string subscribe_url;  // of a confirmation
};

// Pure. The addresses it gives are of the SNS of the topic's region, whatever the message says.
Result<SnsMessage> read_sns(const json::value& data);

class Sns {
 public:
  // `clock` outlives it.
  explicit Sns(Clock& clock) : clock_(clock) {}
  void fetch_with(Fetch fetch) { fetch_ = std::move(fetch); }

  // Is it of one of the topics, and signed? `certificate` (PEM) is used when it is not empty.
  // unauthorized: no; unavailable: the certificate could not be fetched, so nobody knows.
  boost::asio::awaitable<Result<void>> prove(SnsMessage message, std::vector<std::string> topics,
                                             std::string certificate);
  // Says yes to a topic that asks whether it may send.
  boost::asio::awaitable<Result<void>> confirm(SnsMessage message);

 private:
  boost::asio::awaitable<Result<std::string>> get(std::string url);

  Clock& clock_;
  Fetch fetch_;
  std::map<std::string, std::string> certificates_;  // by address; bounded
};

}  // namespace vigil::ingress
