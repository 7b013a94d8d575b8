#include "dataset/index/index_report.hpp"

#include <fmt/format.h>

#include "core/log.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {
namespace {

constexpr std::size_t most_lines = 10;

void warn_of_each(const std::string& split, const std::vector<Problem>& list, const char* what) {
  for (std::size_t i = 0; i < list.size() && i < most_lines; ++i)
    log::warning(fmt::format("{}: {}", split, text_of(list[i])));
  if (list.size() > most_lines)
    log::warning(
        fmt::format("{}: and {} more {} like these", split, list.size() - most_lines, what));
}

void report_truncated(const Index& index) {
  warn_of_each(index.split, index.notes, "images");
  if (index.truncated > 0)
    log::warning(fmt::format("{}: {} images lack the end of their file and are used all the same",
                             index.split, index.truncated));
}

void report_missing(const Index& index, const MissingExample& example) {
  const std::size_t looked = index.found + index.missing;
  if (looked == 0 || index.missing * 5 <= looked) return;  // up to 20 %
  const auto percent = static_cast<double>(index.missing) * 100 / static_cast<double>(looked);
  const std::string count =
      index.found == 0
          ? fmt::format("no labels found: none of the {} images has a label file", looked)
          : fmt::format("{} of {} images ({:.0f} %) have no label file", index.missing, looked,
                        percent);
  log::warning(
      fmt::format("{}: {}; the labels of {} were looked for at {}. Without labels an image counts "
                  "as empty background.",
                  index.split, count, example.picture.string(), example.label.string()));
}

void report_classes(const Index& index) {
  const std::size_t boxes = index.label_count();
  if (boxes == 0) {
    log::warning(fmt::format("the {} split has no object in any of its {} images", index.split,
                             index.entries.size()));
    return;
  }
  std::vector<std::string> without;
  const auto histogram = index.class_histogram();
  for (std::size_t i = 0; i < histogram.size(); ++i)
    if (histogram[i] == 0) without.push_back(index.names[i]);
  if (!without.empty())
    log::warning(fmt::format("{}: {} of {} classes have no box: {}", index.split, without.size(),
                             histogram.size(), first_of(without, most_lines)));
}

}  // namespace

std::string first_of(const std::vector<std::string>& names, std::size_t most) {
  if (names.size() <= most) return text::join(names, ", ");
  const std::vector<std::string> shown(names.begin(),
                                       names.begin() + static_cast<std::ptrdiff_t>(most));
  return fmt::format("{} and {} more", text::join(shown, ", "), names.size() - most);
}

void report(const Index& index, const MissingExample& example) {
  log::info(
      fmt::format("{}: {} images with {} boxes; label files: {} found, {} missing, {} empty; {} "
                  "images left out as corrupt; "
                  "{} images decoded, cache {}",
                  index.split, index.entries.size(), index.label_count(), index.found,
                  index.missing, index.empty, index.corrupt, index.pictures_read,
                  index.cache_file.empty() ? "none" : index.cache_file.string()));
  warn_of_each(index.split, index.problems, "problems");
  report_truncated(index);
  report_missing(index, example);
  if (index.unread > 0)
    log::warning(
        fmt::format("{}: {} images or videos are of kinds that are not read here and are left out",
                    index.split, index.unread));
  if (index.absent > 0)
    log::warning(fmt::format("{}: {} lines of image lists name images that do not exist",
                             index.split, index.absent));
  if (index.unknown_classes > 0)
    log::warning(
        fmt::format("{}: {} rows in {} label files have classes that data.yaml does not know; "
                    "training refuses them",
                    index.split, index.unknown_classes, index.unknown_class_files));
  if (index.orphan_labels > 0)
    log::warning(fmt::format("{}: {} label files have no image", index.split, index.orphan_labels));
  report_classes(index);
}

}  // namespace yolov7::dataset
