#include "runtime/server/inference_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"

namespace yolov7::runtime {
namespace {

constexpr int tries_at_start = 3, tries_later = 5;
constexpr const char* json_length = "Inference-Header-Content-Length";

http::Limits limits_of(const ServerOptions& options) {
  http::Limits limits;
  limits.silence = std::chrono::seconds(options.silence);
  limits.answer_bytes = std::uint64_t{256} << 20;  // 102,000 rows of 85 numbers as text
  return limits;
}

}  // namespace

InferenceClient::InferenceClient(const ServedAddress& address, const ServerOptions& options)
    : address_(address), client_(address.server, limits_of(options)), stop_(options.stop) {
  const auto key = options.keys.find(address.server.origin());
  if (key == options.keys.end()) return;
  if (address.server.scheme != "https" && !address.server.is_loopback())
    throw usage_error(fmt::format(
        "{}: expected an https address, because a key travels with each request, found http",
        address.text()));
  client_.hide(key->second);
  client_.set_header("Authorization", "Bearer " + key->second);
}

std::string InferenceClient::where(const http::Request& request) const {
  return client_.shown(
      fmt::format("{}: {} {}", address_.server.text(), request.method, request.path));
}

std::string InferenceClient::complaint(const http::Request& request,
                                       const http::Answer& answer) const {
  const std::string said = answer.status >= 300 && answer.status < 400
                               ? "the server sends the request elsewhere, which is not followed"
                               : text::printable(http::complaint(answer.body));
  return client_.shown(
      fmt::format("{}: {}{}{}", where(request), answer.status, said.empty() ? "" : ": ", said));
}

http::Answer InferenceClient::ask(const http::Request& request, int tries) {
  return client_.send(request, {.most = tries}, stop_);
}

InferenceClient::Found InferenceClient::describe() {
  Found found;
  const http::Request server{.path = "/v2"}, ready{.path = address_.model + "/ready"},
      model{.path = address_.model}, config{.path = address_.model + "/config"};
  // A server need not tell of itself.
  std::vector<std::string> extensions;
  if (const http::Answer answer = ask(server, tries_at_start); answer.good())
    extensions = server_extensions(answer.body, where(server));
  found.binary = text::contains(extensions, "binary_tensor_data");
  // Where there is no such model, the next question is answered better.
  if (const http::Answer answer = ask(ready, tries_at_start);
      !answer.good() && answer.status != 404)
    throw Error(fmt::format("{}: expected a model that is ready ({})", address_.text(),
                            complaint(ready, answer)));
  const http::Answer answer = ask(model, tries_at_start);
  if (!answer.good())
    throw Error(fmt::format("{}: expected a model of this name ({})", address_.text(),
                            complaint(model, answer)));
  found.model = server_model(answer.body, where(model));
  if (text::contains(extensions, "model_configuration"))
    if (const http::Answer more = ask(config, tries_at_start); more.good())
      found.model.parameters.merge(server_parameters(more.body, where(config)));
  return found;
}

std::vector<AnswerTensor> InferenceClient::infer(const InferenceRequest& request,
                                                 const std::vector<ServerTensor>& outputs) {
  http::Request post{.method = "POST", .path = address_.model + "/infer", .body = request.body};
  post.media_type = request.json_bytes > 0 ? "application/octet-stream" : "application/json";
  if (request.json_bytes > 0)
    post.headers.emplace_back(json_length, fmt::format("{}", request.json_bytes));
  const http::Answer answer = ask(post, tries_later);
  if (!answer.good()) throw Error(complaint(post, answer));
  return inference_answer(answer.body, answer.header(text::lower(json_length)), outputs,
                          where(post));
}

}  // namespace yolov7::runtime
