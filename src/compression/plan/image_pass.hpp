#pragma once
// Every image through a network, and what chosen values of it are.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "equivalence/proof.hpp"
#include "runtime/openvino/value_stream.hpp"

namespace yolov7::compression {

/// Letterboxed as for detection. They are loaded anew in each pass.
struct CalibrationImages {
  std::size_t count = 0;
  int height = 0, width = 0;
  /// 3 × height × width bytes, R G B planes. Errors name the image.
  std::function<void(std::size_t, std::vector<std::uint8_t>&)> load;
  std::function<std::string(std::size_t)> name;
};

/// Those at `places`, all in memory.
std::vector<equivalence::ProofPicture> loaded_images(const CalibrationImages& images,
                                                     std::span<const std::size_t> places);

struct ImagePass {
  const char* label = "";                       ///< of the progress
  std::vector<int> values = {};                 ///< numbers of the network's values
  std::size_t memory = std::size_t{512} << 20;  ///< of the values that are looked at in one pass
  std::stop_token stop = {};
};

/// Gets the image's number and the value. The images go through the network once for each part of
/// the values that fits into the memory. Errors: what loading and running report; stopped_error().
void look_at_values(const std::shared_ptr<const network::NetworkAndWeights>& fused,
                    const CalibrationImages& images, const ImagePass& pass,
                    const std::function<void(std::size_t, const runtime::StreamedValue&)>& look);

}  // namespace yolov7::compression
