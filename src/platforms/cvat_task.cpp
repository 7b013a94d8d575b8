// Between an annotated set and a task of CVAT: the archives that go up and down.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/archive.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/temporary_folder.hpp"
#include "core/text.hpp"
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

void take_step(CvatProgress& progress, bool& step) {
  step = true;
  if (progress.changed) progress.changed(progress);
}

/// A task that an earlier push left, or a new one; whether it is new.
bool make_task(Cvat& server, const std::string& name, const std::vector<std::string>& labels,
               CvatProgress& progress) {
  if (progress.task != 0) return false;
  std::vector<std::int64_t> there;
  if (progress.resumed) there = server.tasks_named(name);
  if (there.size() > 1)
    throw Error(fmt::format("CVAT: expected one task '{}' at most, found {}", text::printable(name),
                            there.size()));
  progress.task = there.empty() ? server.make_task(name, labels) : there.front();
  if (progress.changed) progress.changed(progress);
  return there.empty();
}

/// What is missing of the files in `work`; the number of images.
std::size_t send(Cvat& server, const std::string& name, const std::vector<std::string>& labels,
                 const fs::path& work, CvatProgress& progress) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(work / "images" / "all"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.filename().string());
  const std::string xml = without_folders(file::read(work / "annotations.xml"));
  const fs::path archive = work / "annotations.zip";
  network::ArchiveWriter zip(archive);
  zip.add("annotations.xml", std::as_bytes(std::span(xml.data(), xml.size())));
  zip.finish();
  const bool made = make_task(server, name, labels, progress);
  if (!progress.images) {
    const std::size_t there = made ? 0 : server.facts_of(progress.task).images;
    if (there != 0 && there != files.size())
      throw Error(fmt::format("CVAT: expected task {} with no image or with {}, found {}",
                              progress.task, files.size(), there));
    if (there == 0) server.send_images(progress.task, files, names);
    take_step(progress, progress.images);
  }
  if (!progress.annotations) {
    server.import_annotations(progress.task, "CVAT 1.1", archive);
    take_step(progress, progress.annotations);
  }
  return files.size();
}

}  // namespace

CvatPush push_set(Cvat& server, const std::string& name, const dataset::AnnotatedSet& set) {
  CvatProgress progress;
  return push_set(server, name, set, progress);
}

CvatPush push_set(Cvat& server, const std::string& name, const dataset::AnnotatedSet& set,
                  CvatProgress& progress) {
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
  result.images = send(server, name, names_of(set), work.path(), progress);
  result.task = progress.task;
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
  if (!options.annotations.empty())
    file::write_atomically(options.annotations, file::read(folder / "annotations.xml"));
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
