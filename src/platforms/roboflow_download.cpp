// A version of a Roboflow project, from the request for its export to the folder with images.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/http_download.hpp"
#include "core/json.hpp"
#include "core/progress.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/source_tree.hpp"
#include "platforms/roboflow.hpp"

namespace yolov7::platforms {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

/// The link may lead to another host, which must not learn the key: another client, without it.
http::Download fetch(Roboflow& service, const std::string& link, const fs::path& archive) {
  const auto [address, request] = http::split_url(link, "Roboflow: link to the archive");
  const http::Address& own = service.service().client().address();
  if (own.scheme == "https" && address.scheme != "https")
    throw Error("Roboflow: expected an https link to the archive, found one without TLS");
  http::Client client(address);
  client.hide(link);
  client.hide(request.path);
  Progress progress("downloading", 0, "MiB");
  std::uint64_t shown = 0;
  http::DownloadOptions options;
  options.tries = service.service().tries();
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    const std::uint64_t now = done >> 20;
    if (now <= shown) return;
    progress.advance(now - shown, total == 0 ? "" : fmt::format("of {} MiB", total >> 20));
    shown = now;
  };
  return http::download(client, request, archive, options, service.service().stop());
}

}  // namespace

VersionDownload download_version(Roboflow& service, const std::vector<std::string>& place,
                                 const std::string& format, const fs::path& out,
                                 const UnpackLimits& limits) {
  const std::string &workspace = place.at(0), &project = place.at(1), &number = place.at(2);
  dataset::require_empty(out);
  VersionDownload result;
  result.format = roboflow_format(format);
  service.workspace(workspace);
  service.project(workspace, project);
  const json version = service.finished_version(workspace, project, number);
  result.images_said = static_cast<std::size_t>(dataset::size_at(version, "images"));
  const std::string link = service.export_link(workspace, project, number, result.format);
  const fs::path target = dataset::output_place(out), parent = target.parent_path(),
                 archive = parent / fmt::format(".{}.roboflow-{}-{}-{}-{}.zip",
                                                target.filename().string(), workspace, project,
                                                number, result.format);
  file::make_folder(parent);
  const http::Download got = fetch(service, link, archive);
  result.bytes = got.bytes;
  result.resumed_at = got.resumed_at;
  try {
    dataset::build_folder(out, [&](const fs::path& folder) {
      unpack_zip(archive, folder, limits, service.service().stop());
      result.images = dataset::walk_source(folder).images.size();
      file::write_atomically(folder / "roboflow.json",
                             json_text({{"workspace", workspace},
                                        {"project", project},
                                        {"version", number},
                                        {"format", result.format},
                                        {"images", result.images},
                                        {"images_said_by_the_service", result.images_said}},
                                       2) +
                                 "\n",
                             file::Sync::later);
    });
  } catch (const Error& error) {
    // An archive that cannot be unpacked would be taken for the whole one for ever.
    if (error.code() != ExitCode::interrupted) fs::remove(archive);
    throw;
  }
  fs::remove(archive);
  return result;
}

}  // namespace yolov7::platforms
