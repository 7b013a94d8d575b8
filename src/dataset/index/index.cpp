#include "dataset/index/index.hpp"

#include <unordered_map>

#include "core/append_bytes.hpp"
#include "core/file.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
std::string identity(const Entry& entry) {
  std::string one = entry.content_hash;
  for (const Label& label : entry.labels) {
    append_bytes(one, label.class_index);
    append_bytes(one, label.box);
    append_bytes(one, label.polygon.size());
    for (const cv::Point2d& point : label.polygon)
      append_bytes(one, point.x), append_bytes(one, point.y);
  }
  return file::content_hash(one);
}

std::size_t Index::label_count() const {
  std::size_t count = 0;
  for (const Entry& entry : entries) count += entry.labels.size();
  return count;
}

std::vector<std::size_t> Index::class_histogram() const {
  std::vector<std::size_t> counts(names.size());
  for (const Entry& entry : entries)
    for (const Label& label : entry.labels)
      if (static_cast<std::size_t>(label.class_index) < counts.size())
        ++counts[static_cast<std::size_t>(label.class_index)];
  return counts;
}

std::vector<std::pair<fs::path, fs::path>> shared_pictures(const Index& a, const Index& b) {
  std::unordered_map<std::string, const fs::path*> known;
  for (const Entry& entry : a.entries) known.emplace(entry.content_hash, &entry.picture);
  std::vector<std::pair<fs::path, fs::path>> result;
  for (const Entry& entry : b.entries)
    if (const auto found = known.find(entry.content_hash); found != known.end())
      result.emplace_back(*found->second, entry.picture);
  return result;
}

}  // namespace yolov7::dataset
