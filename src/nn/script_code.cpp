#include "nn/script_code.hpp"

#include <caffe2/serialize/inline_container.h>

#include <algorithm>
#include <array>

#include "nn/script_error.hpp"

namespace yolov7::nn {
namespace {

constexpr std::array<std::string_view, 4> outward{"save", "from_file", "__setstate__", "load"};

bool of_word(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view next_word(std::string_view code, std::size_t& at) {
  while (at < code.size() && !of_word(code[at])) ++at;
  const std::size_t begin = at;
  while (at < code.size() && of_word(code[at])) ++at;
  return code.substr(begin, at - begin);
}

}  // namespace

std::string outward_word(std::string_view code) {
  for (std::size_t at = 0; at < code.size();) {
    const std::string_view word = next_word(code, at);
    if (std::find(outward.begin(), outward.end(), word) != outward.end()) return std::string(word);
    if (word != "ops") continue;
    std::size_t behind = at;  // ops.prim.NumToTensor: LibTorch's own
    const std::string_view library = next_word(code, behind);
    if (library != "prim" && library != "aten") return "ops." + std::string(library);
  }
  return {};
}

void require_inward_code(const std::filesystem::path& path) {
  script_guarded(path, "no TorchScript file", [&] {
    caffe2::serialize::PyTorchStreamReader reader(path.string());
    for (const std::string& name : reader.getAllRecords()) {
      if (!name.ends_with(".py")) continue;
      const auto [bytes, size] = reader.getRecord(name);
      const std::string word = outward_word({static_cast<const char*>(bytes.get()), size});
      if (!word.empty())
        throw Error(fmt::format(
            "{}: {}: expected the code of a network, found '{}', which reaches out of it; such a "
            "file is not run",
            path.string(), text::printable(name), word));
    }
  });
}

}  // namespace yolov7::nn
