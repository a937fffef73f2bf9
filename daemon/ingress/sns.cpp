#include "daemon/ingress/sns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/certificate.hpp"
#include "core/digest.hpp"
#include "core/log.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr std::size_t certificates_max = 8;
constexpr std::size_t answer_bytes_max = 64 * 1024;
constexpr Duration patience = 10s;  // SNS waits for 15

// In the order in which they are signed; Subject only where the message has one.
constexpr std::array<std::string_view, 6> of_notification{"Message",   "MessageId", "Subject",
                                                          "Timestamp", "TopicArn",  "Type"};
constexpr std::array<std::string_view, 7> of_confirmation{
    "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"};

std::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::unauthorized, std::move(why));
}

template <std::size_t size>
Result<std::string> text_of(const json::value& data,
                            const std::array<std::string_view, size>& names) {
  std::string out;
  for (const auto name : names) {
    const auto text = find_text(data, name);
    if (!text && name == "Subject") continue;
    if (!text) return refuse(fmt::format("it has no {}, so it is no message of SNS", name));
    out += fmt::format("{}\n{}\n", name, *text);
  }
  return out;
}

// arn:aws:sns:REGION:ACCOUNT:NAME; the region in which everything the message names must lie.
std::string region_of(std::string_view topic) {
  for (int part = 0; part < 3; ++part) {
    const auto end = topic.find(':');
    if (end == std::string_view::npos) return {};
    topic.remove_prefix(end + 1);
  }
  const auto region = topic.substr(0, topic.find(':'));
  const bool plain = std::ranges::all_of(
      region, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  return plain && region.size() < topic.size() ? std::string(region) : std::string();
}

bool is_of_aws(std::string_view url, const std::string& region) {
  const auto printable = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
  if (region.empty() || !printable || url.size() > 2000) return false;
  return url.starts_with(fmt::format("https://sns.{}.amazonaws.com/", region)) ||
         url.starts_with(fmt::format("https://sns.{}.amazonaws.com.cn/", region));
}

}  // namespace

Result<SnsMessage> read_sns(const json::value& data) {
  const auto text = [&](std::string_view name) {
    return std::string(find_text(data, name).value_or(""));
  };
  SnsMessage out;
  out.type = text("Type");
  out.topic = text("TopicArn");
  if (out.type.empty()) {
    return refuse(
        "it is no message of SNS: it has no Type. Is raw message delivery on? What comes raw is "
        "not "
        "signed: turn it off for this subscription");
  }
  const bool confirmation =
      out.type == "SubscriptionConfirmation" || out.type == "UnsubscribeConfirmation";
  if (!confirmation && out.type != "Notification") {
    return refuse("SNS has no messages of type " + vigil::quoted(out.type));
  }
  auto signed_text = confirmation ? text_of(data, of_confirmation) : text_of(data, of_notification);
  if (!signed_text) return std::unexpected(std::move(signed_text.error()));
  out.signed_text = std::move(*signed_text);
  const auto version = text("SignatureVersion");
  if (version != "1" && version != "2") return refuse("its SignatureVersion is neither 1 nor 2");
  out.sha1 = version == "1";
  auto signature = from_base64(text("Signature"));
  if (!signature || signature->empty()) return refuse("its Signature is not base64");
  out.signature = std::move(*signature);
  const auto region = region_of(out.topic);
  out.certificate_url = text("SigningCertURL");
  if (!is_of_aws(out.certificate_url, region) || !out.certificate_url.ends_with(".pem")) {
    return refuse("its SigningCertURL is not at the SNS of the topic's region");
  }
  if (!confirmation) return out;
  out.subscribe_url = text("SubscribeURL");
  if (!is_of_aws(out.subscribe_url, region)) {
    return refuse("its SubscribeURL is not at the SNS of the topic's region");
  }
  return out;
}

asio::awaitable<Result<std::string>> Sns::get(std::string url) {
  if (!fetch_) co_return fail(ErrorCode::unavailable, "nothing is fetched here");
  http::Request request;
  request.method = "GET";
  request.url = url;
  request.headers = {{"User-Agent", "vigild"}};
  request.deadline = clock_.now() + patience;
  request.answer_bytes_max = answer_bytes_max;
  auto fetching = fetch_(std::move(request));
  http::Received answer = co_await std::move(fetching);
  if (!answer) co_return fail(ErrorCode::unavailable, answer.error().error.message);
  if (!answer->ok() || answer->body_cut) {
    co_return fail(ErrorCode::unavailable, fmt::format("AWS answered {}", answer->status));
  }
  co_return std::move(answer->body);
}

asio::awaitable<Result<void>> Sns::prove(SnsMessage message, std::vector<std::string> topics,
                                         std::string certificate) {
  if (std::ranges::find(topics, message.topic) == topics.end()) {
    co_return refuse(
        fmt::format("the topic {} is not in `topics` of the source", vigil::quoted(message.topic)));
  }
  const auto kept = certificates_.find(message.certificate_url);
  if (certificate.empty() && kept != certificates_.end()) certificate = kept->second;
  const bool fetched = certificate.empty();
  if (fetched) {
    auto getting = get(message.certificate_url);
    Result<std::string> pem = co_await std::move(getting);
    if (!pem) {
      co_return fail(ErrorCode::unavailable,
                     "the certificate of AWS cannot be fetched: " + pem.error().message);
    }
    certificate = std::move(*pem);
  }
  const auto how = message.sha1 ? SignedWith::rsa_sha1 : SignedWith::rsa_sha256;
  auto checked =
      check_signature(certificate, message.signed_text, message.signature, how, clock_.now());
  if (!checked) co_return refuse(checked.error().message);
  if (fetched) {
    if (certificates_.size() >= certificates_max) certificates_.clear();
    certificates_[message.certificate_url] = std::move(certificate);
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> Sns::confirm(SnsMessage message) {
  auto getting = get(message.subscribe_url);
  Result<std::string> answer = co_await std::move(getting);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  log_info("subscribed: topic={}", vigil::quoted(message.topic));
  co_return Result<void>();
}

}  // namespace vigil::ingress
