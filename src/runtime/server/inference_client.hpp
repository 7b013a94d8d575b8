#pragma once
// A server of the Open Inference Protocol, version 2, over HTTP (serving 1.3).
#include <stop_token>
#include <string>
#include <vector>

#include "core/http_client.hpp"
#include "runtime/server/inference_messages.hpp"
#include "runtime/server/served_address.hpp"
#include "runtime/server/server_options.hpp"

namespace yolov7::runtime {

/// One connection. Not thread-safe.
class InferenceClient {
 public:
  /// Errors: https in a build without TLS; a key that would travel without TLS to another machine.
  InferenceClient(const ServedAddress& address, const ServerOptions& options);

  struct Found {
    ServerModel model;    ///< its parameters: those of the server's configuration, too
    bool binary = false;  ///< the server takes and gives tensors in bytes
  };
  /// Asks what the server can do (GET /v2), whether the model is ready, and for its tensors.
  /// Errors: no connection, no such model, not ready, answers that are no such thing.
  Found describe();
  /// Errors: as above, and what the server says.
  std::vector<AnswerTensor> infer(const InferenceRequest& request,
                                  const std::vector<ServerTensor>& outputs);

 private:
  http::Answer ask(const http::Request& request, int tries);
  std::string where(const http::Request& request) const;
  std::string complaint(const http::Request& request, const http::Answer& answer) const;

  ServedAddress address_;
  http::Client client_;
  std::stop_token stop_;
};

}  // namespace yolov7::runtime
