#include "dataset/similarity/exact.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset::similarity {

std::string pixel_digest(const cv::Mat& bgr) {
  Sha256 hash;
  hash.add(fmt::format("{} {} {}\n", bgr.cols, bgr.rows, bgr.type()));
  const std::size_t row = static_cast<std::size_t>(bgr.cols) * bgr.elemSize();
  for (int y = 0; y < bgr.rows; ++y) hash.add({reinterpret_cast<const char*>(bgr.ptr(y)), row});
  return hash.digest();
}

std::vector<std::string> byte_digests(const std::vector<std::filesystem::path>& images,
                                      std::span<const std::size_t> chosen, int threads,
                                      const std::stop_token& stop) {
  std::vector<std::string> digests(images.size());
  parallel_for(chosen.size(), threads_or_all(threads), [&](std::size_t k) {
    digests[chosen[k]] = sha256_of_file(images[chosen[k]], stop);
  });
  return digests;
}

std::vector<std::string> digests_of_equal(const std::vector<std::filesystem::path>& images,
                                          std::span<const std::string> short_hashes, int threads,
                                          const std::stop_token& stop) {
  std::unordered_map<std::string, std::size_t> uses;
  for (const std::string& hash : short_hashes) ++uses[hash];
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < short_hashes.size(); ++i)
    if (uses[short_hashes[i]] > 1) chosen.push_back(i);
  return byte_digests(images, chosen, threads, stop);
}

std::vector<std::string> pixel_digests(const std::vector<std::filesystem::path>& images,
                                       std::span<const std::size_t> chosen, int threads,
                                       const std::stop_token& stop) {
  std::vector<std::string> digests(images.size());
  parallel_for(chosen.size(), threads_or_all(threads), [&](std::size_t k) {
    check_stop(stop);
    try {
      digests[chosen[k]] = pixel_digest(read_picture(images[chosen[k]]));
    } catch (const Error&) {
      digests[chosen[k]].clear();  // whoever reads the set has named it already
    }
  });
  return digests;
}

}  // namespace yolov7::dataset::similarity
