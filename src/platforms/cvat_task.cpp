// Between an annotated set and a task of CVAT: the archives that go up and down.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/archive.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/temporary_folder.hpp"
#include "core/unpack.hpp"
#include "dataset/formats/convert.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/output_folder.hpp"
#include "platforms/cvat.hpp"

namespace yolov7::platforms {
namespace fs = std::filesystem;
namespace {

/// Images have no folders on the server, so their names in the annotations have none either.
std::string without_folders(std::string xml) {
  constexpr std::string_view element = "<image id=\"", folder = "name=\"images/all/";
  for (std::size_t at = 0; (at = xml.find(element, at)) != std::string::npos; ++at) {
    const std::size_t name = xml.find(folder, at);
    if (name != std::string::npos && name < xml.find('>', at))
      xml.erase(name + 6, folder.size() - 6);
  }
  return xml;
}

}  // namespace

CvatPush push_set(Cvat& server, const std::string& name, const dataset::AnnotatedSet& set) {
  const dataset::Format& format = dataset::format_named("cvat", "cvat");
  const TemporaryFolder work("yolov7-cvat");
  CvatPush result;
  dataset::AnnotatedSet flat = set;
  std::size_t splits = 0;
  for (dataset::AnnotatedImage& image : flat.images) {
    splits += image.split.empty() || image.split == "train" ? 0 : 1;
    image.split = "all";
    result.objects += image.objects.size();
  }
  for (const dataset::Loss& loss : losses(flat, format))
    result.losses.push_back(
        {loss.what, loss.count, loss.where == dataset::Keep::attribute ? "attribute" : ""});
  if (splits > 0) result.losses.push_back({"split (a task has one)", splits, ""});
  dataset::Conversion account;
  const dataset::WriteOptions hard_links{true};
  format.write({flat, work.path(), hard_links, account, server.service().stop()});
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(work.path() / "images" / "all"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.filename().string());
  const std::string xml = without_folders(file::read(work.path() / "annotations.xml"));
  const fs::path archive = work.path() / "annotations.zip";
  network::ArchiveWriter zip(archive);
  zip.add("annotations.xml", std::as_bytes(std::span(xml.data(), xml.size())));
  zip.finish();
  result.task = server.make_task(name, names_of(set));
  server.send_images(result.task, files, names);
  server.import_annotations(result.task, "CVAT 1.1", archive);
  result.images = files.size();
  return result;
}

dataset::Conversion pull_task(Cvat& server, const std::string& number_or_name,
                              const CvatPullOptions& options) {
  dataset::require_empty(options.out);
  const TemporaryFolder work("yolov7-cvat");
  const fs::path archive = work.path() / "task.zip", folder = work.path() / "task";
  const std::int64_t task = server.find_task(number_or_name);
  server.export_task(task, "CVAT for images 1.1", options.images.empty(), archive);
  file::make_folder(folder);
  unpack_zip(archive, folder, {}, server.service().stop());
  dataset::ConvertOptions convert;
  convert.source = folder;
  convert.images = options.images;
  convert.from = "cvat";
  convert.to = options.to;
  convert.out = options.out;
  convert.stop = server.service().stop();
  return dataset::convert(convert);
}

}  // namespace yolov7::platforms
