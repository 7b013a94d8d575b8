// Weight files. The first byte chooses: the rest is a whole file (even), or the pickle of a zip
// file whose checksums fit (odd), so that the fuzzer gets past them.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/archive.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "tests/fuzz/one_line.hpp"

namespace {

std::filesystem::path input_path() {
  static const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                            ("yolov7-fuzz-" + std::to_string(::getpid()) + ".pt");
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace yolov7;
  if (size == 0) return 0;
  const std::string content(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    std::ofstream(input_path(), std::ios::binary | std::ios::trunc) << content;
  } else {
    const std::string storage(64, '\1');
    const auto bytes = [](const std::string& s) {
      return std::as_bytes(std::span(s.data(), s.size()));
    };
    network::ArchiveWriter archive(input_path());
    archive.add("a/data.pkl", bytes(content));
    archive.add("a/data/0", bytes(storage));
    archive.finish();
  }
  fuzz::expect_one_line([] {
    const network::Checkpoint checkpoint = network::read_checkpoint(input_path());
    network::check(checkpoint.build_network(), checkpoint.inference_weights());
  });
  return 0;
}
