#include "equivalence/parent.hpp"

#include "core/freed_memory.hpp"
#include "core/stop.hpp"

namespace yolov7::equivalence {

KnownOutputs known_outputs(runtime::Detector& detector, std::span<const ProofPicture> pictures,
                           const std::stop_token& stop) {
  KnownOutputs known{detector.description(), detector.class_count(), {}};
  for (const ProofPicture& picture : pictures) {
    check_stop(stop);
    detector.predict(picture.batch(), known.predictions.emplace_back());
    known.predictions.back().raw.clear();
  }
  return known;
}

runtime::Detector& Parent::detector() {
  if (!detector_) detector_ = open_();
  return *detector_;
}

void Parent::close() {
  if (!detector_) return;
  detector_.reset();
  return_freed_memory();
}

const KnownOutputs& Parent::outputs(std::span<const ProofPicture> pictures,
                                    const std::stop_token& stop) {
  const auto found = known_.find(pictures.data());
  if (found != known_.end() && found->second.predictions.size() == pictures.size())
    return found->second;
  const OpenParent open(*this);
  return known_.insert_or_assign(pictures.data(), known_outputs(*open, pictures, stop))
      .first->second;
}

}  // namespace yolov7::equivalence
