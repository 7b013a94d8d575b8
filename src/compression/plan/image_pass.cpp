#include "compression/plan/image_pass.hpp"

#include "core/progress.hpp"
#include "core/stop.hpp"
#include "network/graph/cost.hpp"

namespace yolov7::compression {
namespace {

std::size_t place(int value) { return static_cast<std::size_t>(value); }

/// Parts of `values` whose numbers of one image fit into the memory; each has one value at least.
std::vector<std::vector<int>> parts_of(const network::Network& network,
                                       const std::vector<int>& values, int height, int width,
                                       std::size_t memory) {
  const std::vector<network::ValueSize> sizes = network::value_sizes(network, height, width);
  std::vector<std::vector<int>> parts;
  std::size_t used = 0;
  for (const int value : values) {
    const network::ValueSize& size = sizes[place(value)];
    const std::size_t bytes = place(size.channels) * place(size.height) * place(size.width) * 4;
    if (parts.empty() || used + bytes > memory) parts.emplace_back(), used = 0;
    parts.back().push_back(value);
    used += bytes;
  }
  return parts;
}

}  // namespace

std::vector<equivalence::ProofPicture> loaded_images(const CalibrationImages& images,
                                                     std::span<const std::size_t> places) {
  std::vector<equivalence::ProofPicture> all;
  for (const std::size_t at : places) {
    all.push_back({images.name(at), images.height, images.width, {}});
    images.load(at, all.back().pixels);
  }
  return all;
}

void look_at_values(const std::shared_ptr<const network::NetworkAndWeights>& fused,
                    const CalibrationImages& images, const ImagePass& pass,
                    const std::function<void(std::size_t, const runtime::StreamedValue&)>& look) {
  const auto parts =
      parts_of(fused->network, pass.values, images.height, images.width, pass.memory);
  Progress progress(pass.label, images.count * parts.size(), "image");
  std::vector<std::uint8_t> planes;
  for (const std::vector<int>& part : parts) {
    const auto stream = runtime::stream_values(fused, part, images.height, images.width);
    for (std::size_t i = 0; i < images.count; ++i) {
      check_stop(pass.stop);
      images.load(i, planes);
      for (const runtime::StreamedValue& value :
           stream->run({planes, 1, images.height, images.width}))
        look(i, value);
      progress.advance();
    }
  }
  progress.finish();
}

}  // namespace yolov7::compression
