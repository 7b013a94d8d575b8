#include "platforms/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"

namespace yolov7::platforms {
using nlohmann::json;

Service::Service(std::string name, const http::Address& address, const http::Limits& limits,
                 const http::Tries& tries, std::stop_token stop)
    : name_(std::move(name)), client_(address, limits), tries_(tries), stop_(std::move(stop)) {}

std::string Service::where(const http::Request& request) const {
  return client_.shown(fmt::format("{} {}: {} {}", name_, client_.address().text(), request.method,
                                   request.path.substr(0, request.path.find('?'))));
}

void Service::require(const http::Answer& answer, const http::Request& request,
                      std::initializer_list<int> also) const {
  if (answer.good() || std::find(also.begin(), also.end(), answer.status) != also.end()) return;
  const bool redirected = answer.status >= 300 && answer.status < 400;
  const bool refused = answer.status == 401 || answer.status == 403;
  const std::string why =
      fmt::format("{}: {}: {}{}", where(request), answer.status,
                  redirected ? "the server sends the request elsewhere, and the key does not follow"
                             : client_.shown(http::complaint(answer.body)),
                  refused ? " (is the key right, and may it do this?)" : "");
  throw Refusal(why, answer.status);
}

http::Answer Service::send(const http::Request& request, std::initializer_list<int> also) {
  http::Answer answer = client_.send(request, tries_, stop_);
  require(answer, request, also);
  return answer;
}

std::optional<http::Answer> Service::send_once(const http::Request& request, std::string& why,
                                               std::initializer_list<int> also) {
  const std::stop_callback on_stop(stop_, [this] { client_.stop(); });
  check_stop(stop_);
  http::Outcome outcome = client_.try_once(request);
  check_stop(stop_);
  if (!outcome.answer) {
    why = outcome.why;
    return std::nullopt;
  }
  if (http::may_pass(outcome.answer->status) &&
      std::find(also.begin(), also.end(), outcome.answer->status) == also.end()) {
    why = fmt::format("{}: {}: {}", where(request), outcome.answer->status,
                      client_.shown(http::complaint(outcome.answer->body)));
    return std::nullopt;
  }
  require(*outcome.answer, request, also);
  return std::move(outcome.answer);
}

json Service::json_of(const http::Answer& answer, const http::Request& request) const {
  if (answer.body.empty()) return nullptr;
  json value = json::parse(answer.body, nullptr, false);
  if (value.is_discarded())
    throw Error(
        fmt::format("{}: expected JSON in the answer, found something else", where(request)));
  return value;
}

json Service::shown(const json& value) const {
  if (value.is_string()) return client_.shown(value.get<std::string>());
  if (value.is_array()) {
    json list = json::array();
    for (const json& one : value) list.push_back(shown(one));
    return list;
  }
  if (!value.is_object()) return value;
  json object = json::object();
  for (const auto& [name, one] : value.items()) object[client_.shown(name)] = shown(one);
  return object;
}

json Service::call(const http::Request& request, std::initializer_list<int> also) {
  return json_of(send(request, also), request);
}

json Service::get(const std::string& path, http::Fields query) {
  return call({.path = path, .query = std::move(query)});
}

json Service::post(const std::string& path, const json& body, http::Fields query) {
  return call(json_request("POST", path, body, std::move(query)));
}

http::Request json_request(const std::string& method, const std::string& path, const json& body,
                           http::Fields query) {
  return {.method = method,
          .path = path,
          .query = std::move(query),
          .body = json_text(body),
          .media_type = "application/json"};
}

}  // namespace yolov7::platforms
