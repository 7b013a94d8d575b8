#include "network/checkpoint/state_file.hpp"

#include <fmt/format.h>

#include "core/archive.hpp"
#include "core/file.hpp"
#include "network/checkpoint/checkpoint_meta.hpp"
#include "network/torch_file/pickle.hpp"

namespace yolov7::network {

void write_state_file(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  const auto as_bytes = [](const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  };
  PickleWriter pickle;
  pickle.begin_dictionary();
  std::size_t count = 0;
  for (const auto& [name, tensor] : checkpoint.inference_weights().entries()) {
    pickle.key(name);
    pickle.tensor(tensor, std::to_string(count++));
  }
  pickle.end_dictionary();
  const std::string text = pickle.finish(), description = meta_text(checkpoint, false),
                    byteorder = "little", version = "3\n";
  file::replace_atomically(path, [&](const std::filesystem::path& temporary) {
    ArchiveWriter archive(temporary);
    archive.add("archive/data.pkl", as_bytes(text));
    archive.add("archive/byteorder", as_bytes(byteorder));
    archive.add(fmt::format("archive/{}", description_entry), as_bytes(description));
    count = 0;
    for (const auto& entry : checkpoint.inference_weights().entries())
      archive.add(fmt::format("archive/data/{}", count++), entry.second.bytes);
    archive.add("archive/version", as_bytes(version));
    archive.finish();
  });
}

}  // namespace yolov7::network
