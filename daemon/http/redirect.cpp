#include "daemon/http/redirect.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

namespace vigil::http {
namespace {

namespace urls = boost::urls;

bool keeps_its_meaning(int status, const std::string& method) {
  if (status == 307 || status == 308) return true;
  return (status == 301 || status == 302 || status == 303) && method == "GET";
}

std::string port_of(const urls::url_view_base& url) {
  if (url.has_port()) return url.port();
  return url.scheme_id() == urls::scheme::https ? "443" : "80";
}

}  // namespace

std::optional<std::string> redirect_of(const Request& request, const Answer& answer) {
  if (!keeps_its_meaning(answer.status, request.method)) return std::nullopt;
  const auto from = urls::parse_uri(request.url);
  const auto location = urls::parse_uri_reference(answer.header("location"));
  if (!from || !location || answer.header("location").empty()) return std::nullopt;
  urls::url to;
  if (!urls::resolve(*from, *location, to)) return std::nullopt;
  to.remove_fragment();
  to.normalize_scheme();
  urls::url same(*from);
  same.normalize_scheme();
  same.normalize_authority();
  to.normalize_authority();
  const bool stays = same.scheme() == to.scheme() && same.encoded_host() == to.encoded_host() &&
                     port_of(same) == port_of(to) &&
                     to.encoded_userinfo() == same.encoded_userinfo();
  if (!stays) return std::nullopt;
  return std::string(to.buffer());
}

}  // namespace vigil::http
