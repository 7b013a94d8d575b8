#pragma once
// The network that files are compared with. What it gives is computed once and kept; the detector
// itself is in memory only while it runs, because a network that is ready to run takes its weights
// a second time, and the file beside it twice.
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "equivalence/proof.hpp"
#include "runtime/detector.hpp"

namespace yolov7::equivalence {

/// What a detector gives for some images, in their order.
struct KnownOutputs {
  std::string description;  ///< of the detector
  int classes = 0;
  std::vector<runtime::Prediction> predictions;
};
/// Errors: what running the detector reports, stopped_error().
KnownOutputs known_outputs(runtime::Detector& detector, std::span<const ProofPicture> pictures,
                           const std::stop_token& stop = {});

class Parent {
 public:
  using Open = std::function<std::unique_ptr<runtime::Detector>()>;
  explicit Parent(Open open) : open_(std::move(open)) {}

  /// Opened where it is closed.
  runtime::Detector& detector();
  /// Gives its memory back to the machine.
  void close();
  /// Computed once for the images at one place, which have to stay there.
  const KnownOutputs& outputs(std::span<const ProofPicture> pictures,
                              const std::stop_token& stop = {});

 private:
  Open open_;
  std::unique_ptr<runtime::Detector> detector_;
  std::map<const ProofPicture*, KnownOutputs> known_;
};

/// Closes it at the end of the block.
class OpenParent {
 public:
  explicit OpenParent(Parent& parent) : parent_(parent) {}
  ~OpenParent() { parent_.close(); }
  OpenParent(const OpenParent&) = delete;
  OpenParent& operator=(const OpenParent&) = delete;
  runtime::Detector& operator*() const { return parent_.detector(); }

 private:
  Parent& parent_;
};

}  // namespace yolov7::equivalence
