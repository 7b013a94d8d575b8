#include "exporting/backed_weights.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

namespace yolov7::exporting {
namespace {

constexpr std::size_t least = 1 << 16;         ///< bytes of a tensor that is worth a mapping
constexpr std::size_t most_mappings = 10'000;  ///< of some 65,000 that a process may have

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

bool append(int file, const std::byte* from, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = ::write(file, from, bytes);
    if (written <= 0) return false;
    from += written, bytes -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

BackedWeights::BackedWeights(std::shared_ptr<const network::NetworkAndWeights> model,
                             const std::filesystem::path& folder)
    : model_(std::move(model)) {
  const Descriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.number() < 0) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  // Whole pages: what shares its page with something else stays as it is.
  std::vector<Pages> found;
  for (const auto& [name, tensor] : model_->weights.entries()) {
    const auto begin = reinterpret_cast<std::uintptr_t>(tensor.bytes.data()),
               first = (begin + page - 1) / page * page,
               end = (begin + tensor.bytes.size()) / page * page;
    if (end > first && end - first >= least && found.size() < most_mappings)
      found.push_back({reinterpret_cast<void*>(first), end - first});
  }
  for (const Pages& one : found)
    if (!append(file.number(), static_cast<const std::byte*>(one.first), one.bytes)) return;
  off_t place = 0;
  for (const Pages& one : found) {
    // The same bytes at the same address, from the file. First elsewhere: where there is no room
    // for another mapping, that fails, and the rest stays in memory alone.
    void* const mapped =
        ::mmap(nullptr, one.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.number(), place);
    if (mapped == MAP_FAILED) return;
    if (::mremap(mapped, one.bytes, one.bytes, MREMAP_MAYMOVE | MREMAP_FIXED, one.first) ==
        MAP_FAILED) {
      ::munmap(mapped, one.bytes);
      return;
    }
    pages_.push_back(one);
    place += static_cast<off_t>(one.bytes);
  }
}

std::uint64_t BackedWeights::bytes() const {
  std::uint64_t all = 0;
  for (const Pages& one : pages_) all += one.bytes;
  return all;
}

void BackedWeights::give_back() const {
  for (const Pages& one : pages_) ::madvise(one.first, one.bytes, MADV_DONTNEED);
}

}  // namespace yolov7::exporting
