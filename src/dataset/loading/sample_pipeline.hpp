#pragma once
// One training or validation sample from start to end, its steps in their order (data 8.1).
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "dataset/augment/mosaic.hpp"
#include "dataset/augment/operation.hpp"
#include "dataset/augment/perspective.hpp"
#include "dataset/augment/sample.hpp"
#include "dataset/augment/sample_output.hpp"
#include "dataset/augment/transforms/catalogue.hpp"
#include "dataset/batch.hpp"
#include "dataset/index/index.hpp"
#include "dataset/loading/loader_options.hpp"
#include "dataset/loading/resized_pictures.hpp"

namespace yolov7::dataset {

/// Memory that one thread uses again for each sample.
struct PipelineMemory {
  cv::Mat canvas, first, second;
};

/// What identifies a sample.
struct SampleKey {
  std::size_t entry = 0;  ///< index into Index::entries
  int epoch = 0;
  std::size_t position = 0;  ///< in the epoch
};

struct FinishedSample {
  std::vector<std::array<float, 6>> targets;  ///< column 0 is 0
  TargetMarks marks;
  SampleOrigin origin;
};

class SamplePipeline {
 public:
  /// All must outlive this.
  SamplePipeline(const Index& index, const LoaderOptions& options, ResizedPictures& pictures);

  /// Writes 3 × shape.height × shape.width bytes to `planes`. A pure function of seed, key and
  /// `order`, on any thread. Error: a picture cannot be decoded.
  FinishedSample build(const SampleKey& key, std::span<const std::size_t> order, cv::Size shape,
                       std::uint8_t* planes, PipelineMemory& memory) const;

 private:
  struct Draws;
  Draws draws_of(const SampleKey& key) const;
  /// `place` in the mosaic, for the draws of the list's steps on single pictures.
  Tile tile(std::size_t entry, const Draws& draws, std::uint32_t place) const;
  Sample unwarped4(std::size_t entry, std::span<const std::size_t> order, Random& position,
                   Random& partners, const Draws& draws, cv::Mat canvas,
                   const cv::Rect& needed = {}) const;
  /// A sample whose perspective step is still to be done, in the pass that writes the batch where
  /// nothing comes in between.
  struct Unwarped {
    Sample sample;
    PerspectiveStep step;
  };
  /// What is left to do on a training sample.
  struct Draft {
    Sample sample;
    std::optional<PerspectiveStep> step;
    bool coloured = false;
  };
  Unwarped mosaic(std::size_t entry, std::span<const std::size_t> order, const Draws& draws,
                  cv::Mat canvas) const;
  /// `draws`: null outside training, where no step of the list runs.
  Sample single(std::size_t entry, cv::Size shape, SampleOrigin& origin, const Draws* draws) const;
  Draft training(const SampleKey& key, std::span<const std::size_t> order, cv::Size shape,
                 SampleOrigin& origin, PipelineMemory& memory) const;
  Sample mixed_up(Unwarped first, std::span<const std::size_t> order, const Draws& draws,
                  PipelineMemory& memory) const;
  void finish(const Draft& draft, const Draws& draws, Flips flips, std::uint8_t* planes,
              FinishedSample& finished) const;
  /// What TransformContext::other gives.
  using Partner = std::function<Sample(Random&)>;
  void run_steps(Stage stage, Sample& sample, const Draws& draws, std::uint32_t place,
                 const Partner& other) const;
  Sample sample_of(std::size_t entry) const;
  /// Null: none.
  std::shared_ptr<const LabelWeights> weights_of(std::size_t entry) const;
  PerspectiveStep perspective_step(Random& random, cv::Size output) const;
  /// Built like the second mosaic of a mixup, with all its draws from `random`.
  Sample partner_mosaic(std::span<const std::size_t> order, const Draws& draws,
                        Random& random) const;
  std::optional<ColourChange> colours(const Draws& draws) const;
  void paste(Sample& sample, std::span<const std::size_t> order, const Draws& draws,
             cv::Mat canvas) const;

  const Index& index_;
  const LoaderOptions& options_;
  ResizedPictures& pictures_;
  AugmentList steps_;
  bool any_polygon_ = false;
};

}  // namespace yolov7::dataset
