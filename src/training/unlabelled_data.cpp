#include "training/unlabelled_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/setting_name.hpp"
#include "dataset/index/cached_facts.hpp"
#include "dataset/index/pictures.hpp"

namespace yolov7::training {
namespace fs = std::filesystem;
namespace {

/// Liu et al., "Unbiased Teacher" (arXiv 2102.09480), appendix: colour jitter, grey, blur, cutout.
constexpr const char* strong_list =
    "[{name: ColorJitter, p: 0.8, brightness: [0.6, 1.4], contrast: [0.6, 1.4], "
    "saturation: [0.6, 1.4], hue: [-0.1, 0.1]}, {name: ToGray, p: 0.2}, "
    "{name: GaussianBlur, p: 0.5, sigma: [0.5, 2]}, {name: Erasing, p: 0.7, scale: [0.05, 0.2]}, "
    "{name: Erasing, p: 0.3, scale: [0.02, 0.2]}]";

dataset::CachedFacts look_at(const std::vector<fs::path>& pictures, const fs::path& root,
                             bool recheck, const std::stop_token& stop) {
  dataset::FactsOptions options;
  options.root = root;
  options.folders = {file::user_cache_folder() / file::content_hash(root.string()).substr(0, 16)};
  options.name = "unlabelled";
  options.what = "reading images without labels";
  options.recheck = recheck;
  options.stop = stop;
  return dataset::cached_facts(pictures, options);
}

}  // namespace

dataset::Index read_unlabelled(const std::string& path, const std::vector<std::string>& names,
                               bool recheck, const std::stop_token& stop) {
  const fs::path place = fs::absolute(path).lexically_normal();
  const std::vector<fs::path> pictures = dataset::collect_pictures({place});
  std::error_code error;
  const dataset::CachedFacts found = look_at(
      pictures, fs::is_directory(place, error) ? place : place.parent_path(), recheck, stop);
  dataset::Index index;
  index.split = "unlabelled";
  index.names = names;
  index.pictures_read = found.read;
  index.cache_file = found.cache_file;
  std::string all;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const dataset::PictureFacts& facts = found.facts[i];
    if (!facts.fault.empty()) {
      ++index.corrupt;
      index.problems.push_back({pictures[i], 0, facts.fault});
      continue;
    }
    index.entries.push_back(
        {pictures[i], facts.width, facts.height, {}, false, facts.content_hash});
    all += facts.content_hash;
  }
  if (index.entries.empty())
    throw Error(fmt::format(
        "{} {}: expected images that can be read, found none of {}; the first: {}",
        setting_name("unlabelled"), path, pictures.size(), text_of(index.problems.front())));
  index.identity = file::content_hash(all);
  return index;
}

dataset::LoaderOptions weak_view(dataset::LoaderOptions o, int batch) {
  o.batch_size = batch;
  o.shuffle = true;
  o.rectangular = o.quad = false;
  o.weights = nullptr;
  o.drawn_share = -1;
  o.drawn = nullptr;
  dataset::AugmentOptions& a = o.augmentation;
  a.mosaic = a.mixup = a.copy_paste = a.paste_in = 0;
  a.hsv_h = a.hsv_s = a.hsv_v = 0;
  a.degrees = a.shear = a.perspective = 0;
  a.scale = std::min(a.scale, 0.5);
  a.translate = std::min(a.translate, 0.1);
  a.augment.clear();
  return o;
}

dataset::LoaderOptions strong_view(dataset::LoaderOptions options, int batch) {
  dataset::LoaderOptions o = weak_view(std::move(options), batch);
  o.augmentation.augment = strong_list;
  return o;
}

}  // namespace yolov7::training
