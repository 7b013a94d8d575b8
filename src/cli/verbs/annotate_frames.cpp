#include "cli/verbs/annotate_frames.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <system_error>

#include "api/video_library.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/progress.hpp"
#include "image/codec/codec.hpp"
#include "runtime/frames/frames.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// The digits that begin here, without zeros in front.
std::string_view digits_at(std::string_view text, std::size_t& at) {
  const std::size_t first = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  std::string_view digits = text.substr(first, at - first);
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

/// Digits count as numbers; equal ones are told apart by their text.
bool before(const std::string& a, const std::string& b) {
  std::size_t i = 0, k = 0;
  while (i < a.size() && k < b.size()) {
    if (is_digit(a[i]) && is_digit(b[k])) {
      const std::string_view left = digits_at(a, i), right = digits_at(b, k);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
      continue;
    }
    if (a[i] != b[k]) return a[i] < b[k];
    ++i, ++k;
  }
  if (i == a.size() && k == b.size()) return a < b;
  return i == a.size();
}

}  // namespace

FramePlaces places_in_folders(const std::vector<fs::path>& images) {
  std::map<fs::path, std::vector<fs::path>> folders;
  for (const fs::path& image : images) folders[image.parent_path()].push_back(image);
  FramePlaces places;
  std::size_t video = 0;
  for (auto& [folder, files] : folders) {
    std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
      return before(a.filename().string(), b.filename().string());
    });
    files.erase(std::unique(files.begin(), files.end()), files.end());
    for (std::size_t i = 0; i < files.size(); ++i)
      places[files[i]] = {video, static_cast<std::int64_t>(i)};
    ++video;
  }
  return places;
}

VideoImages::VideoImages(fs::path out) : out_(fs::absolute(std::move(out)).lexically_normal()) {
  if (!out_.has_filename()) out_ = out_.parent_path();
  folder_ = out_.parent_path() / fmt::format(".{}.{}.frames", out_.filename().string(), ::getpid());
}

VideoImages::~VideoImages() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

VideoImages::Read VideoImages::read(const std::vector<runtime::SourceVideo>& videos, int stride) {
  Read result;
  runtime::FrameLimits limits;
  limits.stride = stride;
  limits.stop = interrupt::token();
  const auto frames = runtime::video_frames(videos, limits, api::video_library());
  Progress progress("reading the frames of videos", 0, "frames");
  std::map<std::size_t, std::int64_t> counts;  // by the number of the video
  for (runtime::Frame frame; frames->next(frame); progress.advance()) {
    if (!frame.error.empty()) {
      result.faults.push_back(frame.error.starts_with(frame.origin->name)
                                  ? frame.error
                                  : fmt::format("{}: {}", frame.origin->name, frame.error));
      continue;
    }
    const std::string name = frame.origin->relative.stem().string();
    const fs::path relative = fs::path(frame.origin->relative).replace_extension() /
                              fmt::format("{}_{:06}.jpg", name, frame.number);
    const fs::path path = folder_ / relative;
    file::make_folder(path.parent_path());
    write_picture(path, frame.bgr, 95, file::Sync::later);
    result.pictures.push_back({path, relative});
    result.places[path] = {frame.origin->number, counts[frame.origin->number]++};
  }
  progress.finish();
  return result;
}

fs::path VideoImages::place_in_output(const fs::path& image) const {
  const fs::path below = image.lexically_relative(folder_);
  if (below.empty() || *below.begin() == "..") return fs::absolute(image).lexically_normal();
  return out_ / "frames" / below;
}

}  // namespace yolov7::cli
