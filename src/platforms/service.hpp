#pragma once
// A server's interface of JSON over HTTP: a good answer, or one line that says what went wrong.
#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>

#include "core/error.hpp"
#include "core/http_client.hpp"

namespace yolov7::platforms {

/// A server's answer that is no good one.
class Refusal : public Error {
 public:
  Refusal(const std::string& message, int answer) : Error(message), status(answer) {}
  int status;
};

class Service {
 public:
  /// `name`: of the service, for messages. `stop` ends waiting and sending.
  Service(std::string name, const http::Address& address, const http::Limits& limits,
          const http::Tries& tries, std::stop_token stop);

  http::Client& client() { return client_; }
  const http::Client& client() const { return client_; }
  const std::string& name() const { return name_; }
  const std::stop_token& stop() const { return stop_; }
  const http::Tries& tries() const { return tries_; }

  /// Sends with repetitions. Errors: no answer; Refusal, a status that is neither 2xx nor one of
  /// `also`: method, path and what the server says, without query and secrets.
  http::Answer send(const http::Request& request, std::initializer_list<int> also = {});
  /// The same once, for what would be there twice; the caller looks what became of it. Nothing
  /// where there was no answer, or one of may_pass(); `why` says what happened.
  std::optional<http::Answer> send_once(const http::Request& request, std::string& why,
                                        std::initializer_list<int> also = {});
  /// The body of send() as JSON; an empty one is null. Error: it is no JSON.
  nlohmann::json call(const http::Request& request, std::initializer_list<int> also = {});
  nlohmann::json get(const std::string& path, http::Fields query = {});
  nlohmann::json post(const std::string& path, const nlohmann::json& body, http::Fields query = {});
  nlohmann::json json_of(const http::Answer& answer, const http::Request& request) const;
  /// Of an answer, with "***" in the place of each secret: for people and files.
  nlohmann::json shown(const nlohmann::json& value) const;

  /// "Roboflow https://api.roboflow.com: GET /x"
  std::string where(const http::Request& request) const;

 private:
  void require(const http::Answer& answer, const http::Request& request,
               std::initializer_list<int> also) const;

  std::string name_;
  http::Client client_;
  http::Tries tries_;
  std::stop_token stop_;
};

/// A request with a JSON body.
http::Request json_request(const std::string& method, const std::string& path,
                           const nlohmann::json& body, http::Fields query = {});

}  // namespace yolov7::platforms
