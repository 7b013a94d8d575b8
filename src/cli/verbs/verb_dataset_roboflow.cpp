// yolov7 dataset download | upload | versions | generate | health roboflow://workspace/project/…
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/platform_source.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"
#include "platforms/place.hpp"
#include "platforms/roboflow.hpp"
#include "platforms/roboflow_upload.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using platforms::Roboflow;

/// What every call to the service has.
struct ServiceOptions {
  std::vector<std::string> place;
  std::string address = platforms::roboflow_address;
  int tries = http::Tries{}.most, patience = 3600;
};

std::vector<Setting> service_settings(ServiceOptions& o, const std::string& what) {
  return group("Service",
               {setting("place", o.place, what).positional().basic(),
                setting("address", o.address, "of the service; https, or this machine"),
                setting("tries", o.tries,
                        "how often a request is tried when the connection is lost or the service "
                        "answers 408, 429, 500, 502, 503 or 504")
                    .range(1, 100),
                setting("patience", o.patience,
                        "seconds to wait for a version or an export that the service makes")
                    .range(1, 1e6)});
}

platforms::Place place_of(const ServiceOptions& o, const std::string& verb, std::size_t parts) {
  const std::string form =
      parts == 3 ? "roboflow://workspace/project/version" : "roboflow://workspace/project";
  if (o.place.size() != 1)
    throw usage_error(fmt::format("{}: expected {}, found {} places", verb, form, o.place.size()));
  return platforms::parse_place(o.place.front(), {"roboflow"}, parts, parts);
}

Roboflow connect(const ServiceOptions& o) {
  platforms::RoboflowOptions options;
  options.address = o.address;
  options.tries.most = o.tries;
  options.patience = std::chrono::seconds(o.patience);
  return Roboflow(options, platforms::find_credential("roboflow", "", {"ROBOFLOW_API_KEY"}),
                  interrupt::token());
}

struct DownloadVerbOptions : ServiceOptions {
  std::string format = "yolov7", out;
  double most_gb = 1000;
};

struct UploadVerbOptions : ServiceOptions {
  PlatformSource source;
  platforms::RoboflowUploadOptions upload;
};

void say_account(const dataset::Conversion& account, const dataset::AnnotatedSet& set,
                 const Output& output) {
  for (const std::string& line : dataset::summary_lines(account)) output.line(line);
  for (const dataset::ConversionLoss& loss : platforms::roboflow_losses(set))
    log::warning(fmt::format("{} of {} are not sent: an upload to Roboflow has no place for them",
                             loss.count, loss.what));
}

std::string text_of_number(const json& value, const char* key) {
  const json* found = dataset::member(value, key);
  return found == nullptr ? "?" : found->is_string() ? found->get<std::string>() : found->dump();
}

}  // namespace

json run_dataset_download(const std::vector<std::string>& arguments, Output& output) {
  DownloadVerbOptions o;
  const Settings settings{
      "dataset download",
      joined({service_settings(o, "roboflow://workspace/project/version"),
              group("Output", {setting("format", o.format,
                                       "export format of the service: yolov7, coco, voc …")
                                   .basic(),
                               setting("out", o.out, "folder to write: new or empty").basic(),
                               setting("most-gb", o.most_gb,
                                       "refuse archives whose content is larger, in 10^9 bytes")
                                   .range(0.001, 1e6)})})};
  if (!parse_arguments(settings, arguments, output)) return {};
  const platforms::Place place = place_of(o, "dataset download", 3);
  if (o.out.empty())
    throw usage_error("dataset download: expected --out with the folder to write, found none");
  platforms::roboflow_format(o.format);
  Roboflow service = connect(o);
  UnpackLimits limits;
  limits.total_bytes = static_cast<std::uint64_t>(o.most_gb * 1e9);
  const auto got = download_version(service, place.parts, o.format, o.out, limits);
  output.line(fmt::format(
      "{} images as {}, {:.1f} MB{}", got.images, got.format, static_cast<double>(got.bytes) / 1e6,
      got.resumed_at == 0
          ? ""
          : fmt::format(", continued after {:.1f} MB", static_cast<double>(got.resumed_at) / 1e6)));
  if (got.images_said != got.images)
    log::warning(fmt::format("{}: the service says {} images, the archive has {}", place.text,
                             got.images_said, got.images));
  output.line(fmt::format("written: {}", o.out));
  return {{"out", o.out},         {"format", got.format},
          {"images", got.images}, {"images_said_by_the_service", got.images_said},
          {"bytes", got.bytes},   {"resumed_at", got.resumed_at}};
}

json run_dataset_upload(const std::vector<std::string>& arguments, Output& output) {
  UploadVerbOptions o;
  const Settings settings{
      "dataset upload",
      joined({service_settings(o, "roboflow://workspace/project"), source_settings(o.source),
              group("Upload",
                    {setting("batch", o.upload.batch, "name of the batch on the service").basic(),
                     setting("tag", o.upload.tags, "tags of the images").basic(),
                     setting("predictions", o.upload.predictions,
                             "the objects are predictions of a model, for people to look at")
                         .basic(),
                     setting("overwrite", o.upload.overwrite,
                             "replace annotations that the service has already")})})};
  if (!parse_arguments(settings, arguments, output)) return {};
  const platforms::Place place = place_of(o, "dataset upload", 2);
  dataset::Conversion account;
  const dataset::AnnotatedSet set = read_source(o.source, "dataset upload", account);
  say_account(account, set, output);
  Roboflow service = connect(o);
  service.workspace(place.part(0));
  service.project(place.part(0), place.part(1));
  platforms::Journal journal(platforms::journal_file(o.source.journal, o.source.source),
                             "roboflow " + o.address + " " + place.part(0) + "/" + place.part(1));
  const auto sent = upload_set(service, place.part(1), set, o.upload, journal);
  output.line(
      fmt::format("images: {} sent, {} sent before, {} that the service had already, {} failed; "
                  "annotations: {} "
                  "sent, {} kept as the service has them",
                  sent.images, sent.images_known, sent.duplicates, sent.failed.size(),
                  sent.annotations, sent.annotations_kept));
  json failed = json::array();
  for (const auto& [image, why] : sent.failed) {
    log::error(fmt::format("{}: {}", image, why));
    failed.push_back({{"image", image}, {"why", why}});
  }
  if (!sent.failed.empty()) output.code = ExitCode::failure;
  return {{"images", sent.images},
          {"images_sent_before", sent.images_known},
          {"duplicates", sent.duplicates},
          {"annotations", sent.annotations},
          {"annotations_kept", sent.annotations_kept},
          {"failed", failed},
          {"source", dataset::to_json(account)}};
}

json run_dataset_versions(const std::vector<std::string>& arguments, Output& output) {
  ServiceOptions o;
  const Settings settings{"dataset versions", service_settings(o, "roboflow://workspace/project")};
  if (!parse_arguments(settings, arguments, output)) return {};
  const platforms::Place place = place_of(o, "dataset versions", 2);
  Roboflow service = connect(o);
  service.workspace(place.part(0));
  const json project = service.project(place.part(0), place.part(1));
  const json* versions = dataset::member(project, "versions");
  const json list = versions != nullptr && versions->is_array() ? service.service().shown(*versions)
                                                                : json::array();
  output.line("version  images  exports  name");
  for (const json& one : list) {
    const std::string id = text_of_number(one, "id");
    const json* exports = dataset::member(one, "exports");
    std::vector<std::string> names;
    if (exports != nullptr && exports->is_array())
      for (const json& name : *exports)
        if (name.is_string()) names.push_back(name.get<std::string>());
    output.line(fmt::format("{:<7}  {:<6}  {:<7}  {}", id.substr(id.rfind('/') + 1),
                            text_of_number(one, "images"), text::join(names, ","),
                            text_of_number(one, "name")));
  }
  return {{"versions", list}};
}

json run_dataset_generate(const std::vector<std::string>& arguments, Output& output) {
  ServiceOptions o;
  std::string file;
  const Settings settings{
      "dataset generate",
      joined({service_settings(o, "roboflow://workspace/project"),
              group("Version", {setting("settings", file,
                                        "JSON file with 'preprocessing' and 'augmentation' as the "
                                        "service has them; '' = neither")
                                    .basic()})})};
  if (!parse_arguments(settings, arguments, output)) return {};
  const platforms::Place place = place_of(o, "dataset generate", 2);
  json content{{"preprocessing", json::object()}, {"augmentation", json::object()}};
  if (!file.empty()) {
    content = read_json(file);
    for (const char* key : {"preprocessing", "augmentation"})
      if (!content.is_object() || !content.contains(key) || !content[key].is_object())
        throw Error(fmt::format("{}: expected an object '{}', found none", file, key));
  }
  Roboflow service = connect(o);
  service.workspace(place.part(0));
  service.project(place.part(0), place.part(1));
  const std::string version =
      service.service().client().shown(service.generate(place.part(0), place.part(1), content));
  output.line(
      fmt::format("the service makes version {}; download it with: yolov7 dataset download "
                  "{}/{} --out DIR",
                  version, place.text, version));
  return {{"version", version}};
}

json run_dataset_health(const std::vector<std::string>& arguments, Output& output) {
  ServiceOptions o;
  bool regenerate = false;
  const Settings settings{
      "dataset health",
      joined({service_settings(o, "roboflow://workspace/project"),
              group("Report",
                    {setting("regenerate", regenerate, "let the service work the figures out again")
                         .basic()})})};
  if (!parse_arguments(settings, arguments, output)) return {};
  const platforms::Place place = place_of(o, "dataset health", 2);
  Roboflow service = connect(o);
  service.workspace(place.part(0));
  service.project(place.part(0), place.part(1));
  const json health =
      service.service().shown(service.health(place.part(0), place.part(1), regenerate));
  for (const std::string_view line : text::lines(json_text(health, 2))) output.line(line);
  return health;
}

}  // namespace yolov7::cli
