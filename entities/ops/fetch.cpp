#include "entities/ops/fetch.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "core/check.hpp"
#include "core/ip.hpp"
#include "core/log.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t at_once = 16;
constexpr int wait_ms = 1000;  // poll wakes by itself when something happens

struct EasyEnd {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiEnd {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListEnd {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Transfer {
  const Ask* ask = nullptr;
  Told* told = nullptr;
  std::unique_ptr<CURL, EasyEnd> easy;
  std::unique_ptr<curl_slist, ListEnd> headers;
  std::array<char, CURL_ERROR_SIZE> error{};
  std::string first;    // the address of whom was asked, or of the proxy before it
  std::string refusal;  // why a redirect is not followed
};

std::size_t on_body(char* data, std::size_t, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  auto& body = transfer.told->body;
  const auto room = transfer.ask->bytes_max - std::min(transfer.ask->bytes_max, body.size());
  body.append(data, std::min(count, room));
  if (count > room) transfer.told->cut = true;
  return count > room ? 0 : count;  // enough: libcurl ends it
}

// A target may be anywhere: a person wrote it down. Where a server sends us from there may not: it
// would make of a probe the hand of whoever can have that server answer. Called before each
// request, on connections that were open already, too.
int on_request(void* user, char* address, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(user);
  long redirects = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_REDIRECT_COUNT, &redirects);
  if (redirects == 0) transfer.first = address;
  if (transfer.first == address) return CURL_PREREQFUNC_OK;
  const auto parsed = ip::parse_address(address);
  const auto kind = parsed ? ip::why_not_public(*parsed) : "an address of one link alone";
  if (!kind) return CURL_PREREQFUNC_OK;
  const char* url = "";
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_EFFECTIVE_URL, &url);
  transfer.refusal = fmt::format(
      "it redirects to {} at {}, {}: redirects lead to public addresses only; name that "
      "address itself, or follow = false",
      vigil::quoted(url), address, *kind);
  return CURL_PREREQFUNC_ABORT;
}

Duration took(CURL* easy, CURLINFO what) {
  curl_off_t us = 0;
  curl_easy_getinfo(easy, what, &us);
  return Duration{us};
}

// The first certificate is the server's own.
void read_certificate(CURL* easy, Told& told) {
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr ||
      chain->num_of_certs < 1) {
    return;
  }
  for (const auto* line = chain->certinfo[0]; line != nullptr; line = line->next) {
    const std::string_view text = line->data;
    constexpr std::string_view until = "Expire date:";
    constexpr std::string_view subject = "Subject:";
    if (text.starts_with(until)) {
      const std::string date(text.substr(until.size()));
      const auto seconds = curl_getdate(date.c_str(), nullptr);
      if (seconds != -1) told.certificate_until = TimePoint{std::chrono::seconds{seconds}};
    }
    if (text.starts_with(subject)) told.certificate_subject = text.substr(subject.size());
  }
}

void prepare(Transfer& transfer, bool verify) {
  const auto& ask = *transfer.ask;
  transfer.easy.reset(curl_easy_init());
  VIGIL_CHECK(transfer.easy != nullptr);
  auto* easy = transfer.easy.get();
  for (const auto& header : ask.headers) {
    transfer.headers.reset(curl_slist_append(transfer.headers.release(), header.c_str()));
  }
  curl_easy_setopt(easy, CURLOPT_URL, ask.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, ask.follow ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, ask.only_connect ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                   std::max(1L, static_cast<long>(ask.timeout / std::chrono::milliseconds{1})));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "vigild/" VIGIL_VERSION);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
  curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
  if (!ask.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, ask.ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &on_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error.data());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
}

void conclude(Transfer& transfer, CURLcode code) {
  auto& told = *transfer.told;
  auto* easy = transfer.easy.get();
  const bool enough = code == CURLE_WRITE_ERROR && told.cut;
  if (code != CURLE_OK && !enough) {
    const std::string_view said = transfer.error.data();
    told.error = said.empty() ? curl_easy_strerror(code) : said;
    if (!transfer.refusal.empty()) told.error = transfer.refusal;
    told.distrusted = code == CURLE_PEER_FAILED_VERIFICATION;
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  told.status = static_cast<int>(status);
  const char* text = nullptr;
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &text);
  if (text != nullptr) told.content_type = text;
  text = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &text);
  if (text != nullptr) told.address = text;
  told.look_up = took(easy, CURLINFO_NAMELOOKUP_TIME_T);
  told.connected = took(easy, CURLINFO_CONNECT_TIME_T);
  told.secured = took(easy, CURLINFO_APPCONNECT_TIME_T);
  told.first_byte = took(easy, CURLINFO_STARTTRANSFER_TIME_T);
  told.whole = took(easy, CURLINFO_TOTAL_TIME_T);
  read_certificate(easy, told);
}

void perform(std::vector<Transfer>& transfers) {
  const std::unique_ptr<CURLM, MultiEnd> multi(curl_multi_init());
  VIGIL_CHECK(multi != nullptr);
  std::size_t begun = 0;
  std::size_t open = 0;
  while (begun < transfers.size() || open > 0) {
    for (; open < at_once && begun < transfers.size(); ++begun, ++open) {
      curl_multi_add_handle(multi.get(), transfers[begun].easy.get());
    }
    int running = 0;
    curl_multi_perform(multi.get(), &running);
    int left = 0;
    bool ended = false;
    while (const auto* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      auto* easy = message->easy_handle;
      const auto code = message->data.result;  // gone once the handle is removed
      Transfer* transfer = nullptr;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
      conclude(*transfer, code);
      curl_multi_remove_handle(multi.get(), easy);
      --open;
      ended = true;
    }
    if (!ended && open > 0) curl_multi_poll(multi.get(), nullptr, 0, wait_ms, nullptr);
  }
}

}  // namespace

std::vector<Told> ask_all(const std::vector<Ask>& all) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  VIGIL_CHECK(started == CURLE_OK);
  std::vector<Told> told(all.size());
  std::vector<Transfer> transfers(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    transfers[i].ask = &all[i];
    transfers[i].told = &told[i];
    prepare(transfers[i], true);
  }
  perform(transfers);
  // Of a certificate that is not trusted the dates are wanted all the same: the connection is made
  // once more for them alone, and nothing is sent on it.
  std::vector<Ask> again;
  std::vector<std::size_t> whose;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!told[i].distrusted || told[i].certificate_until) continue;
    again.push_back(all[i]);
    again.back().only_connect = true;
    whose.push_back(i);
  }
  std::vector<Told> dates(again.size());
  std::vector<Transfer> looks(again.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    looks[i].ask = &again[i];
    looks[i].told = &dates[i];
    prepare(looks[i], false);
  }
  perform(looks);
  for (std::size_t i = 0; i < again.size(); ++i) {
    told[whose[i]].certificate_until = dates[i].certificate_until;
    told[whose[i]].certificate_subject = dates[i].certificate_subject;
  }
  return told;
}

}  // namespace vigil::entities::ops
