#include "platforms/cvat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/http_download.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"

namespace yolov7::platforms {
namespace fs = std::filesystem;
using dataset::member;
using dataset::text_at;
using nlohmann::json;
namespace {

constexpr std::chrono::seconds longest_silence{300};
constexpr std::uint64_t most_image_bytes = std::uint64_t{1} << 30,
                        bytes_a_request = std::uint64_t{64} << 20;
constexpr std::size_t piece_bytes = std::size_t{8} << 20;

std::string base64(const std::string& bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k > bytes.size() ? '=' : digits[group >> (18 - 6 * k) & 63];
  }
  return out;
}

/// The value of a cookie that an answer sets, or "".
std::string cookie_of(const http::Answer& answer, const std::string& name) {
  for (const auto& [key, value] : answer.headers)
    if (key == "set-cookie" && value.starts_with(name + "="))
      return value.substr(name.size() + 1, value.find(';') - name.size() - 1);
  return "";
}

std::int64_t number_at(const json& value, const char* key) {
  const json* found = member(value, key);
  return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string task_path(std::int64_t task, const std::string& call) {
  return fmt::format("/api/tasks/{}{}", task, call);
}

}  // namespace

CvatCredential cvat_credential(const http::Address& server) {
  CvatCredential key;
  key.token = optional_credential("cvat", server.origin(), {"CVAT_ACCESS_TOKEN"});
  if (!key.token.value.empty()) return key;
  const char *user = std::getenv("CVAT_USERNAME"), *password = std::getenv("CVAT_PASSWORD");
  if (user == nullptr || password == nullptr || *user == 0 || *password == 0)
    throw Error(
        fmt::format("cvat: expected a token in CVAT_ACCESS_TOKEN or in a line 'cvat {} TOKEN' "
                    "of {} (mode 600), or CVAT_USERNAME and CVAT_PASSWORD, found none",
                    server.origin(), credentials_file().string()));
  key.user = {user, "CVAT_USERNAME"};
  key.password = {password, "CVAT_PASSWORD"};
  return key;
}

Cvat::Cvat(const http::Address& address, const CvatCredential& key, const CvatOptions& options,
           std::stop_token stop)
    : options_(options),
      service_("CVAT", address, {std::chrono::seconds(10), longest_silence}, options.tries,
               std::move(stop)) {
  service_.client().set_header("Accept", "application/vnd.cvat+json");
  log_in(key);
}

void Cvat::log_in(const CvatCredential& key) {
  http::Client& client = service_.client();
  if (!key.token.value.empty()) {
    client.hide(key.token.value);
    client.set_header("Authorization", "Bearer " + key.token.value);
    return;
  }
  client.hide(key.password.value);
  const http::Answer answer = service_.send(json_request(
      "POST", "/api/auth/login", {{"username", key.user.value}, {"password", key.password.value}}));
  const std::string session = cookie_of(answer, "sessionid"), csrf = cookie_of(answer, "csrftoken");
  if (session.empty() || csrf.empty())
    throw Error(
        fmt::format("CVAT {}: expected the cookies sessionid and csrftoken after the login, "
                    "found none",
                    client.address().text()));
  client.hide(session);
  client.hide(csrf);
  client.set_header("Cookie", "csrftoken=" + csrf + "; sessionid=" + session);
  client.set_header("X-CSRFToken", csrf);
  client.set_header("Origin", client.address().origin());
}

json Cvat::finished(const json& answer, const std::string& what) {
  const std::string id = text_at(answer, "rq_id");
  if (id.empty())
    throw Error(fmt::format("CVAT: {}: expected 'rq_id' in the answer, found none", what));
  const auto begin = std::chrono::steady_clock::now();
  for (int number = 0;; ++number) {
    const json state = service_.get("/api/requests/" + http::escaped(id));
    const std::string status = text_at(state, "status");
    if (status == "finished") return state;
    if (status == "failed")
      throw Error(fmt::format("CVAT: {}: the server failed: {}", what,
                              service_.client().shown(http::complaint(text_at(state, "message")))));
    if (std::chrono::steady_clock::now() - begin > options_.patience)
      throw Error(fmt::format("CVAT: {}: expected an end within {} s, found it unfinished", what,
                              options_.patience.count()));
    http::wait_for(
        std::min(options_.longest_pause, options_.first_pause * (1 << std::min(number, 16))),
        service_.stop());
  }
}

std::int64_t Cvat::make_task(const std::string& name, const std::vector<std::string>& labels) {
  json list = json::array();
  for (const std::string& label : labels) list.push_back({{"name", label}});
  const http::Request request =
      json_request("POST", "/api/tasks", {{"name", name}, {"labels", list}});
  std::string why;
  const auto answer = service_.send_once(request, why);
  if (!answer)
    throw Error(fmt::format("{}; whether the task '{}' was made is not known: look at the server",
                            why, text::printable(name)));
  const std::int64_t task = number_at(service_.json_of(*answer, request), "id");
  if (task == 0) throw Error("CVAT: expected the new task's 'id' in the answer, found none");
  return task;
}

json Cvat::post_data(const std::string& path, const char* step, http::Request request) {
  request.method = "POST";
  request.path = path;
  request.headers.emplace_back(step, "");
  if (request.body.empty() && request.parts.empty()) request.media_type = "application/json";
  return service_.call(request);
}

void Cvat::send_images(std::int64_t task, const std::vector<fs::path>& files,
                       const std::vector<std::string>& names) {
  const std::string path = task_path(task, "/data/");
  constexpr int quality = 100;
  post_data(path, "Upload-Start", {});
  for (std::size_t begin = 0; begin < files.size();) {
    http::Request request;
    request.parts.push_back({"image_quality", std::to_string(quality), "", ""});
    std::uint64_t bytes = 0;
    std::size_t end = begin;
    for (; end < files.size(); ++end) {
      const std::uint64_t more = fs::file_size(files[end]);
      if (end > begin && bytes + more > bytes_a_request) break;
      bytes += more;
      request.parts.push_back({fmt::format("client_files[{}]", end - begin),
                               file::read(files[end], most_image_bytes), names[end],
                               "application/octet-stream"});
    }
    post_data(path, "Upload-Multiple", std::move(request));
    begin = end;
  }
  const json content{
      {"image_quality", quality}, {"sorting_method", "predefined"}, {"upload_file_order", names}};
  http::Request last;
  last.body = json_text(content);
  last.media_type = "application/json";
  finished(post_data(path, "Upload-Finish", std::move(last)), "images of the task");
}

/// TUS 1.0 (https://tus.io/protocols/resumable-upload): the length first, then the pieces.
void Cvat::import_annotations(std::int64_t task, const std::string& format,
                              const fs::path& archive) {
  const std::string path = task_path(task, "/annotations/"), name = archive.filename().string(),
                    content = file::read(archive);
  const auto query = [&](const std::string& file) {
    http::Request request;
    request.query = {{"format", format}, {"filename", file}};
    return request;
  };
  post_data(path, "Upload-Start", query(name));
  const http::Request create{.method = "POST",
                             .path = path,
                             .headers = {{"Tus-Resumable", "1.0.0"},
                                         {"Upload-Length", std::to_string(content.size())},
                                         {"Upload-Metadata", "filename " + base64(name)}},
                             .media_type = "application/json"};
  const http::Answer made = service_.send(create);
  const std::string location = made.header("location"), stored = made.header("upload-filename"),
                    prefix = service_.client().address().prefix;
  std::string target = location;
  if (location.find("://") != std::string::npos) {
    const auto [address, request] = http::split_url(location, "CVAT: place of the upload");
    if (address.host != service_.client().address().host)
      throw Error("CVAT: expected a place of the upload on the same server, found another host");
    target = request.path;
  }
  if (!target.starts_with(prefix + "/"))
    throw Error("CVAT: expected the place of the upload in the answer, found none");
  target = target.substr(prefix.size());
  for (std::size_t offset = 0; offset < content.size();) {
    const std::string piece = content.substr(offset, piece_bytes);
    service_.send(
        {.method = "PATCH",
         .path = target,
         .headers = {{"Tus-Resumable", "1.0.0"}, {"Upload-Offset", std::to_string(offset)}},
         .body = piece,
         .media_type = "application/offset+octet-stream"});
    offset += piece.size();
  }
  finished(post_data(path, "Upload-Finish", query(stored.empty() ? name : stored)),
           "annotations of the task");
}

std::vector<std::int64_t> Cvat::tasks_named(const std::string& name) {
  const json answer = service_.get("/api/tasks", {{"name", name}, {"page_size", "100"}});
  const json* list = member(answer, "results");
  std::vector<std::int64_t> found;
  if (list != nullptr && list->is_array())
    for (const json& one : *list)
      if (text_at(one, "name") == name) found.push_back(number_at(one, "id"));
  return found;
}

Cvat::TaskFacts Cvat::facts_of(std::int64_t task) {
  const json answer = service_.get(task_path(task, ""));
  const auto count = [](const json& value, const char* key) {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, number_at(value, key)));
  };
  TaskFacts facts{count(answer, "size"), 0, 0};
  if (const json* jobs = member(answer, "jobs"))
    facts.jobs = count(*jobs, "count"), facts.jobs_completed = count(*jobs, "completed");
  return facts;
}

std::int64_t Cvat::find_task(const std::string& number_or_name) {
  if (const auto number = text::parse_int(number_or_name); number && *number > 0) {
    service_.get(task_path(*number, ""));
    return *number;
  }
  const std::vector<std::int64_t> found = tasks_named(number_or_name);
  if (found.size() != 1)
    throw Error(fmt::format("CVAT {}: expected one task of the name '{}', found {}{}",
                            service_.client().address().text(), text::printable(number_or_name),
                            found.size(), found.empty() ? "" : "; name it by its number"));
  return found.front();
}

void Cvat::export_task(std::int64_t task, const std::string& format, bool images,
                       const fs::path& archive) {
  const http::Request request{
      .method = "POST",
      .path = task_path(task, "/dataset/export"),
      .query = {{"format", format}, {"save_images", images ? "True" : "False"}},
      .media_type = "application/json"};
  const json state = finished(service_.call(request), "export of the task");
  const auto [address, get] =
      http::split_url(text_at(state, "result_url"), "CVAT: place of the export");
  http::DownloadOptions options;
  options.tries = options_.tries;
  http::Client& own = service_.client();
  const std::string& prefix = own.address().prefix;
  // Behind a proxy that ends TLS a server may write its own address with http.
  if (address.host == own.address().host && address.port == own.address().port &&
      get.path.starts_with(prefix + "/")) {
    http::Request here = get;
    here.path = get.path.substr(prefix.size());
    http::download(own, here, archive, options, service_.stop());
    return;
  }
  if (own.address().scheme == "https" && address.scheme != "https")
    throw Error("CVAT: expected an https place of the export, found one without TLS");
  http::Client other(address);  // it learns no token
  http::download(other, get, archive, options, service_.stop());
}

}  // namespace yolov7::platforms
