#pragma once
// What an analyser that measures was asked: numbers, texts and times of its input. By hand every
// value is a text, in a plan it has its own type; both are taken. Blocking; for vigil-task.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "entities/analyser.hpp"

namespace vigil::entities::ops {

// A mistake names the member.
Result<double> number_in(const json::value& input, std::string_view name, double otherwise);
Result<Duration> time_in(const json::value& input, std::string_view name, Duration otherwise);
Result<bool> flag_in(const json::value& input, std::string_view name, bool otherwise);
// A text, or a list of texts.
Result<std::vector<std::string>> texts_in(const json::value& input, std::string_view name);
std::string text_in(const json::value& input, std::string_view name, std::string_view otherwise);
// Fails for a member that the analyser does not know; `repository` and `files` are always known.
Result<void> known_members(const json::value& input, std::initializer_list<std::string_view> known);

// The whole file, not more than the bound. "-" is not standard input: that holds the request.
Result<std::string> read_bounded(const std::string& path, std::size_t bytes_max);
// Hands the file on in pieces, so that it may be larger than memory.
Result<void> read_in_pieces(const std::string& path,
                            const std::function<Result<void>(std::string_view)>& take);

}  // namespace vigil::entities::ops
