#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <cmath>

#include "core/log.hpp"
#include "entities/ops/fetch.hpp"
#include "entities/ops/metrics_text.hpp"
#include "entities/ops/probe.hpp"
#include "entities/ops/reading.hpp"
#include "entities/ops/reading_input.hpp"
#include "entities/ops/watch.hpp"

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

struct Scrape {
  std::string where;
  std::string text;
  std::string content_type;
};

Result<Scrape> scrape_url(const Request& request, const std::string& url) {
  Ask ask;
  ask.url = url;
  ask.follow = false;  // a scrape that is led elsewhere is of something else
  ask.bytes_max = metrics_bytes_max;
  ask.ca_file = text_in(request.input, "ca_file", "");
  ask.headers = {
      "Accept: "
      "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"};
  const auto timeout = time_in(request.input, "timeout", 10s);
  if (!timeout) return std::unexpected(timeout.error());
  ask.timeout = *timeout;
  if (const auto file = text_in(request.input, "bearer_file", ""); !file.empty()) {
    auto token = read_bounded(file, 64 * 1024);
    if (!token) return std::unexpected(token.error());
    while (!token->empty() && (token->back() == '\n' || token->back() == '\r')) token->pop_back();
    if (token->find('\n') != std::string::npos) {
      return fail(ErrorCode::invalid_input, "bearer_file: it has more than one line");
    }
    ask.headers.push_back("Authorization: Bearer " + *token);
  }
  auto told = ask_all({ask}).front();
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::unavailable, fmt::format("{}: {}", url, why));
  };
  if (!told.error.empty()) return refuse(told.error);
  if (told.status != 200) return refuse(fmt::format("it answers {}", told.status));
  if (told.cut) return refuse(fmt::format("it answers more than {} bytes", metrics_bytes_max));
  return Scrape{url, std::move(told.body), std::move(told.content_type)};
}

Result<Scrape> scrape_of(const Request& request) {
  const auto files = texts_in(request.input, "files");
  if (!files) return std::unexpected(files.error());
  const auto url = text_in(request.input, "url", "");
  if (url.empty() == files->empty() || files->size() > 1) {
    return fail(ErrorCode::invalid_input, "give either url, or one file");
  }
  if (!url.empty()) return scrape_url(request, url);
  auto text = read_bounded(files->front(), metrics_bytes_max);
  if (!text) return std::unexpected(text.error());
  return Scrape{files->front(), std::move(*text), {}};
}

Result<std::vector<Family>> families_of(const Scrape& scrape) {
  if (scrape.content_type.starts_with("application/openmetrics-text")) {
    return parse_openmetrics(scrape.text);
  }
  if (scrape.content_type.find("version=0.0.4") != std::string::npos) {
    return parse_prometheus_text(scrape.text);
  }
  return parse_metrics(scrape.text);
}

std::optional<TimePoint> time_of(const Sample& sample) {
  if (!sample.at || std::abs(*sample.at) > 4e9) return std::nullopt;  // in seconds: until 2096
  return TimePoint{Duration{static_cast<std::int64_t>(*sample.at * 1e6)}};
}

}  // namespace

Result<json::value> run_metrics(const Request& request) {
  if (auto known = known_members(request.input,
                                 {"url", "files", "select", "timeout", "ca_file", "bearer_file"});
      !known) {
    return std::unexpected(known.error());
  }
  const auto texts = texts_in(request.input, "select");
  if (!texts) return std::unexpected(texts.error());
  std::vector<Selector> wanted;
  for (const auto& text : *texts) {
    auto selector = Selector::parse(text);
    if (!selector) {
      return fail(ErrorCode::invalid_input, fmt::format("select: {}", selector.error().message));
    }
    wanted.push_back(std::move(*selector));
  }
  const auto scrape = scrape_of(request);
  if (!scrape) return std::unexpected(scrape.error());
  const auto families = families_of(*scrape);
  if (!families) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{}: {}", scrape->where, families.error().message));
  }
  Readings readings;
  std::size_t no_numbers = 0;
  for (const auto& family : *families) {
    for (const auto& sample : family.samples) {
      const auto fits = [&](const Selector& one) {
        return one.matches(sample.name, sample.labels);
      };
      if (!wanted.empty() && std::ranges::none_of(wanted, fits)) continue;
      if (!std::isfinite(sample.value)) {
        ++no_numbers;  // an idle summary has no quantiles
        continue;
      }
      readings.add({sample.name, sample.labels, sample.value, family.unit, time_of(sample)});
    }
  }
  if (no_numbers > 0) {
    readings.problem(fmt::format("{} samples are no finite numbers", no_numbers));
  }
  return json::value(readings.to_json());
}

}  // namespace vigil::entities::ops
