#include "runtime/joined_detectors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "image/letterbox.hpp"

namespace yolov7::runtime {
namespace {

struct Pass {
  double scale;
  bool mirrored;
};
constexpr std::array<Pass, augmented_passes> passes{{{1, false}, {0.83, true}, {0.67, false}}};

/// Rows of one pass, by picture.
struct Rows {
  std::size_t first = 0, count = 0;  ///< of those of each picture
};

/// Appends to `joined` what `parts` hold for each picture, pictures outermost.
void join(std::span<const Prediction> parts, std::span<const Rows> chosen, Prediction& joined) {
  joined.count = parts[0].count;
  joined.columns = parts[0].columns;
  joined.raw.clear();
  joined.parts.clear();
  joined.rows = 0;
  for (const Rows& rows : chosen) {
    joined.parts.push_back(rows.count);
    joined.rows += rows.count;
  }
  const auto columns = static_cast<std::size_t>(joined.columns);
  joined.decoded.clear();
  joined.decoded.reserve(static_cast<std::size_t>(joined.count) * joined.rows * columns);
  for (int i = 0; i < joined.count; ++i)
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const float* from = parts[p].picture(i) + chosen[p].first * columns;
      joined.decoded.insert(joined.decoded.end(), from, from + chosen[p].count * columns);
    }
}

class AugmentedDetector final : public Detector {
 public:
  AugmentedDetector(std::unique_ptr<Detector> detector, bool clip_tails, int level_count)
      : detector_(std::move(detector)), clip_tails_(clip_tails), level_count_(level_count) {}
  std::string description() const override {
    return detector_->description() + ", three passes (scale 1, 0.83 mirrored, 0.67)";
  }
  int class_count() const override { return detector_->class_count(); }
  int stride() const override { return detector_->stride(); }
  std::unique_ptr<Detector> sibling() override {
    auto other = detector_->sibling();
    return other ? std::make_unique<AugmentedDetector>(std::move(other), clip_tails_, level_count_)
                 : nullptr;
  }
  void prepare(int count, int height, int width) override {
    for (const Pass& pass : passes) {
      const cv::Size size = padded({width, height}, pass.scale);
      detector_->prepare(count, size.height, size.width);
    }
  }
  void predict(const PixelBatch& batch, Prediction& prediction) override {
    std::array<Prediction, passes.size()> parts;
    for (std::size_t p = 0; p < passes.size(); ++p) {
      const cv::Size size = padded({batch.width, batch.height}, passes[p].scale);
      const std::vector<std::uint8_t> pixels = transformed(batch, passes[p], size);
      detector_->predict({pixels, batch.count, size.height, size.width}, parts[p]);
      map_back(parts[p], passes[p], batch.width);
    }
    join(parts, chosen(parts), prediction);
  }

 private:
  cv::Size padded(cv::Size size, double scale) const {
    if (scale == 1) return size;
    const auto up = [&](int side) {
      return static_cast<int>(std::ceil(side * scale / stride())) * stride();
    };
    return {up(size.width), up(size.height)};
  }

  static std::vector<std::uint8_t> transformed(const PixelBatch& batch, const Pass& pass,
                                               cv::Size target) {
    const auto from =
                   static_cast<std::size_t>(batch.width) * static_cast<std::size_t>(batch.height),
               to = pixels_of(target);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(batch.count) * 3 * to, letterbox_grey);
    const cv::Size scaled(static_cast<int>(batch.width * pass.scale),
                          static_cast<int>(batch.height * pass.scale));
    for (std::size_t plane = 0; plane < static_cast<std::size_t>(batch.count) * 3; ++plane) {
      // OpenCV takes a non-const pointer and only reads.
      cv::Mat source(batch.height, batch.width, CV_8UC1,
                     const_cast<std::uint8_t*>(batch.pixels.data() + plane * from));
      if (pass.mirrored) {
        cv::Mat mirror;
        cv::flip(source, mirror, 1);
        source = mirror;
      }
      cv::Mat place = cv::Mat(target, CV_8UC1, out.data() + plane * to)(cv::Rect({0, 0}, scaled));
      if (scaled == source.size())
        source.copyTo(place);
      else
        cv::resize(source, place, scaled, 0, 0, cv::INTER_LINEAR);
    }
    return out;
  }

  static void map_back(Prediction& part, const Pass& pass, int width) {
    const auto columns = static_cast<std::size_t>(part.columns);
    const auto scale = static_cast<float>(pass.scale);
    for (std::size_t i = 0; i < part.decoded.size(); i += columns) {
      for (std::size_t k = 0; k < 4; ++k) part.decoded[i + k] /= scale;
      if (pass.mirrored) part.decoded[i] = static_cast<float>(width) - part.decoded[i];
    }
  }

  std::array<Rows, passes.size()> chosen(const std::array<Prediction, passes.size()>& parts) const {
    std::array<Rows, passes.size()> rows;
    for (std::size_t p = 0; p < rows.size(); ++p) rows[p] = {0, parts[p].rows};
    if (!clip_tails_) return rows;
    std::size_t share = 0, power = 1;  // of the coarsest level among Σ 4^k
    for (int k = 0; k < level_count_; ++k, power *= 4) share += power;
    rows.front().count -= parts.front().rows / share;
    rows.back().first = parts.back().rows / share * (power / 4);
    rows.back().count -= rows.back().first;
    return rows;
  }

  std::unique_ptr<Detector> detector_;
  bool clip_tails_;
  int level_count_;
};

class Ensemble final : public Detector {
 public:
  explicit Ensemble(std::vector<std::unique_ptr<Detector>> members)
      : members_(std::move(members)) {}
  std::string description() const override {
    std::vector<std::string> all;
    for (const auto& one : members_) all.push_back(one->description());
    const bool alike = std::all_of(all.begin(), all.end(),
                                   [&](const std::string& one) { return one == all.front(); });
    return fmt::format("{} networks: {}", members_.size(),
                       alike ? all.front() : text::join(all, "; "));
  }
  int class_count() const override { return members_.front()->class_count(); }
  int stride() const override {
    int largest = 1;
    for (const auto& one : members_) largest = std::lcm(largest, one->stride());
    return largest;
  }
  std::unique_ptr<Detector> sibling() override {
    std::vector<std::unique_ptr<Detector>> others;
    for (const auto& one : members_) {
      others.push_back(one->sibling());
      if (!others.back()) return nullptr;
    }
    return std::make_unique<Ensemble>(std::move(others));
  }
  void prepare(int count, int height, int width) override {
    for (const auto& one : members_) one->prepare(count, height, width);
  }
  void predict(const PixelBatch& batch, Prediction& prediction) override {
    std::vector<Prediction> parts(members_.size());
    std::vector<Rows> chosen;
    for (std::size_t m = 0; m < members_.size(); ++m) {
      members_[m]->predict(batch, parts[m]);
      chosen.push_back({0, parts[m].rows});
    }
    join(parts, chosen, prediction);
  }

 private:
  std::vector<std::unique_ptr<Detector>> members_;
};

/// Passes and members share pictures of several sizes.
void require_open_sides(const Detector& detector, const std::string& who) {
  if (const InputSides sides = detector.sides(); sides.fixed())
    throw usage_error(fmt::format(
        "{}: expected a model that takes images of any size, found one of {} x {} px only", who,
        sides.width, sides.height));
}

}  // namespace

std::unique_ptr<Detector> make_augmented_detector(std::unique_ptr<Detector> detector,
                                                  bool clip_tails, int level_count) {
  require_open_sides(*detector, setting_name("augment"));
  return std::make_unique<AugmentedDetector>(std::move(detector), clip_tails, level_count);
}

std::unique_ptr<Detector> make_ensemble(std::vector<std::unique_ptr<Detector>> members) {
  if (members.empty()) throw Error("ensemble: expected at least one network, found none");
  for (const auto& one : members) {
    require_open_sides(*one, "ensemble");
    if (one->class_count() != members.front()->class_count())
      throw Error(fmt::format("ensemble: expected networks of {} classes, found one of {}",
                              members.front()->class_count(), one->class_count()));
  }
  return std::make_unique<Ensemble>(std::move(members));
}

NmsResult suppress(const Prediction& prediction, int picture, int class_count,
                   const NmsOptions& options) {
  if (prediction.suppressed) {  // threshold, classes and the limit are still the caller's
    NmsOptions kept = options;
    kept.kind = NmsKind::hard, kept.merge = false, kept.iou_thres = 1;
    return non_maximum_suppression(prediction.picture(picture), prediction.rows, class_count, kept);
  }
  if (prediction.parts.size() < 2)
    return non_maximum_suppression(prediction.picture(picture), prediction.rows, class_count,
                                   options);
  NmsResult all;
  std::vector<std::vector<Detection>> lists;
  const float* rows = prediction.picture(picture);
  std::size_t candidates = 0;
  for (const std::size_t count : prediction.parts) {
    NmsResult part = nms_candidates(rows, count, class_count, options);
    rows += count * static_cast<std::size_t>(prediction.columns);
    all.dropped_not_finite += part.dropped_not_finite;
    all.beyond_max_nms += part.beyond_max_nms;
    all.highest_score = std::max(all.highest_score, part.highest_score);
    candidates += part.detections.size();
    lists.push_back(std::move(part.detections));
  }
  const auto most = static_cast<std::size_t>(std::max(options.max_nms, 0));
  if (options.kind != NmsKind::wbf && candidates > most) all.beyond_max_nms += candidates - most;
  all.detections = select_detections(lists, options);
  return all;
}

}  // namespace yolov7::runtime
