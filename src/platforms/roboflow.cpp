#include "platforms/roboflow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dataset/formats/json_fields.hpp"

namespace yolov7::platforms {
using dataset::member;
using dataset::text_at;
using nlohmann::json;
namespace {

constexpr std::chrono::seconds longest_silence{300};

http::Address checked_address(const std::string& text) {
  const http::Address address = http::parse_address(text, "Roboflow");
  if (address.scheme != "https" && !address.is_loopback())
    throw usage_error(fmt::format(
        "Roboflow: expected an https address, because the key travels with each request, found {}",
        address.text()));
  return address;
}

std::string path_of(std::initializer_list<std::string> parts) {
  std::string path;
  for (const std::string& part : parts) path += "/" + http::escaped(part);
  return path;
}

}  // namespace

Roboflow::Roboflow(const RoboflowOptions& options, const Credential& key, std::stop_token stop)
    : options_(options),
      key_(key.value),
      service_("Roboflow", checked_address(options.address),
               {http::Limits{}.connect, longest_silence}, options.tries, std::move(stop)) {
  service_.client().hide(key_);
}

http::Fields Roboflow::query(http::Fields further) const {
  further.insert(further.begin(), {"api_key", key_});
  return further;
}

json Roboflow::workspace(const std::string& workspace) {
  return service_.get(path_of({workspace}), query());
}

json Roboflow::project(const std::string& workspace, const std::string& project) {
  return service_.get(path_of({workspace, project}), query());
}

void Roboflow::pause(int number, std::chrono::steady_clock::time_point begin,
                     const std::string& what) {
  if (std::chrono::steady_clock::now() - begin > options_.patience)
    throw Error(
        fmt::format("Roboflow: expected {} within {} s, found it unfinished; the same call "
                    "goes on later",
                    what, options_.patience.count()));
  if (number == 1) log::info(fmt::format("waiting for {}", what));
  http::wait_for(
      std::min(options_.longest_pause, options_.first_pause * (1 << std::min(number - 1, 16))),
      service_.stop());
}

json Roboflow::finished_version(const std::string& workspace, const std::string& project,
                                const std::string& version) {
  const auto begin = std::chrono::steady_clock::now();
  for (int number = 1;; ++number) {
    const json answer =
        service_.get(path_of({workspace, project, version}), query({{"nocache", "true"}}));
    const json* found = member(answer, "version");
    if (found == nullptr || !found->is_object())
      throw Error("Roboflow: expected 'version' in the answer, found none");
    const json* generating = member(*found, "generating");
    const bool unfinished =
        generating != nullptr && generating->is_boolean() && generating->get<bool>();
    if (!unfinished && dataset::size_at(*found, "images") > 0) return *found;
    pause(number, begin, fmt::format("version {} with its images", version));
  }
}

std::string Roboflow::export_link(const std::string& workspace, const std::string& project,
                                  const std::string& version, const std::string& format) {
  const auto begin = std::chrono::steady_clock::now();
  const http::Request request{.path = path_of({workspace, project, version, format}),
                              .query = query({{"nocache", "true"}})};
  constexpr int accepted = 202;
  for (int number = 1;; ++number) {
    const http::Answer answer = service_.send(request);
    if (answer.status != accepted) {
      const json value = service_.json_of(answer, request);
      const json* exported = member(value, "export");
      const std::string link = exported == nullptr ? "" : text_at(*exported, "link");
      if (link.empty())
        throw Error(fmt::format("{}: expected 'export' with a link in the answer, found none",
                                service_.where(request)));
      service_.client().hide(link);
      return link;
    }
    pause(number, begin, fmt::format("the export as {}", format));
  }
}

std::string Roboflow::generate(const std::string& workspace, const std::string& project,
                               const json& settings) {
  const http::Request request =
      json_request("POST", path_of({workspace, project, "generate"}), settings, query());
  std::string why;
  const auto answer = service_.send_once(request, why);
  if (!answer)
    throw Error(
        fmt::format("{}; whether a version is made is not known: yolov7 dataset versions lists "
                    "them",
                    why));
  const json value = service_.json_of(*answer, request);
  const auto version = dataset::id_of(member(value, "version"));
  if (!version) throw Error("Roboflow: expected 'version' in the answer to generate, found none");
  return *version;
}

json Roboflow::health(const std::string& workspace, const std::string& project, bool regenerate) {
  return service_.get(path_of({workspace, project, "health"}),
                      regenerate ? query({{"regenerate", "true"}}) : query());
}

json Roboflow::upload(const std::string& project, const Image& image, const std::string& batch,
                      const std::vector<std::string>& tags) {
  http::Fields further{{"batch", batch}};
  for (const std::string& tag : tags) further.emplace_back("tag", tag);
  return service_.call({.method = "POST",
                        .path = path_of({"dataset", project, "upload"}),
                        .query = query(std::move(further)),
                        .parts = {{"name", image.name, "", ""},
                                  {"split", image.split, "", ""},
                                  {"file", image.content, image.name, image.media_type}}});
}

json Roboflow::annotate(const std::string& project, const std::string& image_id,
                        const Annotation& annotation, const std::string& batch) {
  http::Fields further{{"name", annotation.name}};
  if (!batch.empty()) further.emplace_back("jobName", batch);
  if (annotation.prediction) further.emplace_back("prediction", "true");
  if (annotation.overwrite) further.emplace_back("overwrite", "true");
  json classes = json::object();
  for (std::size_t i = 0; i < annotation.classes.size(); ++i)
    classes[std::to_string(i)] = annotation.classes[i];
  constexpr int conflict = 409;  // "already annotated"
  return service_.call(json_request("POST", path_of({"dataset", project, "annotate", image_id}),
                                    {{"annotationFile", annotation.content}, {"labelmap", classes}},
                                    query(std::move(further))),
                       {conflict});
}

std::string roboflow_format(const std::string& format) {
  const bool plain = !format.empty() && std::all_of(format.begin(), format.end(), [](const char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!plain)
    throw usage_error(
        fmt::format("expected an export format of small letters, digits and '-' (yolov7, coco, "
                    "voc), found '{}'",
                    format));
  return format == "yolov7" || format == "yolov5" ? format + "pytorch" : format;
}

}  // namespace yolov7::platforms
