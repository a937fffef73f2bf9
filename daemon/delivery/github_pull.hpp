#pragma once
// Draft pull requests of a "github" sink, found again by their branch: neither a lost answer nor a
// lost database opens a second one. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>

#include "daemon/delivery/sinks.hpp"
#include "daemon/http/client.hpp"

namespace vigil::delivery {

struct GithubDoor {
  std::function<http::Request(std::string method, const std::string& path)> request;
  Clock& clock;
  http::Client& http;
};

// The payload of a pull request: head and base, and no number.
bool is_pull(const json::value& payload);

// Opens, edits or closes it, as `state` in the payload says: open (the default) or closed.
boost::asio::awaitable<Outcome> deliver_pull(GithubDoor door, std::string repository,
                                             json::value payload);

}  // namespace vigil::delivery
