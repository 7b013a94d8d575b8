#include "core/archive.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::network {
namespace {

constexpr zip_int64_t most_entries = 200'000;
constexpr std::uint64_t largest_text = std::uint64_t{1} << 26;

std::string open_error(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

}  // namespace

struct ArchiveWriter::Impl {
  std::filesystem::path path;
  zip_t* zip = nullptr;
};

ArchiveWriter::ArchiveWriter(const std::filesystem::path& path) : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  int code = 0;
  impl_->zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (impl_->zip == nullptr)
    throw Error(fmt::format("{}: cannot create: {}", path.string(), open_error(code)));
}

ArchiveWriter::~ArchiveWriter() {
  if (impl_->zip != nullptr) zip_discard(impl_->zip);
}

void ArchiveWriter::add(const std::string& name, std::span<const std::byte> bytes) {
  const auto fail = [&] {
    throw Error(
        fmt::format("{}: cannot add {}: {}", impl_->path.string(), name, zip_strerror(impl_->zip)));
  };
  zip_source_t* source = zip_source_buffer(impl_->zip, bytes.data(), bytes.size(), 0);
  if (source == nullptr) fail();
  const zip_int64_t index = zip_file_add(impl_->zip, name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    fail();
  }
  const auto at = static_cast<zip_uint64_t>(index);
  // 1 January 1980, the oldest time that a zip file can name.
  if (zip_set_file_compression(impl_->zip, at, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(impl_->zip, at, 0, 0x21, 0) != 0)
    fail();
}

void ArchiveWriter::finish() {
  if (zip_close(impl_->zip) != 0) {
    const std::string reason = zip_strerror(impl_->zip);
    zip_discard(impl_->zip);
    impl_->zip = nullptr;
    throw Error(fmt::format("{}: cannot write: {}", impl_->path.string(), reason));
  }
  impl_->zip = nullptr;
}

/// Closes what it opened, so that a constructor that throws leaks nothing.
struct ArchiveReader::Impl {
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (zip != nullptr) zip_discard(zip);
  }
  std::filesystem::path path;
  zip_t* zip = nullptr;
  std::map<std::string, zip_stat_t> entries;
  std::string last_name;
  bool compressed_too = false;

  void add_entry(zip_uint64_t index) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(zip, index, 0, &stat) != 0 || (stat.valid & ZIP_STAT_NAME) == 0 ||
        (stat.valid & ZIP_STAT_SIZE) == 0)
      throw Error(
          fmt::format("{}: entry {} cannot be read: {}", path.string(), index, zip_strerror(zip)));
    last_name = stat.name;
    const std::string name = text::printable(last_name);
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE)
      throw Error(fmt::format("{}: {} is encrypted", path.string(), name));
    const bool compressed =
        (stat.valid & ZIP_STAT_COMP_METHOD) != 0 && stat.comp_method != ZIP_CM_STORE;
    if (compressed && !compressed_too) {
      if (last_name.find("/code/") != std::string::npos)
        throw Error(
            fmt::format("{}: expected a checkpoint, found a TorchScript file; name it "
                        ".torchscript to run it",
                        path.string()));
      throw Error(
          fmt::format("{}: expected stored entries, found {} compressed", path.string(), name));
    }
    // Deflate makes a thousandth at best (RFC 1951); what claims more is no file of anybody.
    if (compressed && ((stat.valid & ZIP_STAT_COMP_SIZE) == 0 || stat.size > largest_text ||
                       stat.size / 1100 > stat.comp_size))
      throw Error(fmt::format("{}: {}: expected a compressed text of at most {} bytes, found {}",
                              path.string(), name, largest_text, stat.size));
    if (last_name.find("..") != std::string::npos)
      throw Error(fmt::format("{}: {}: expected entry names without '..'", path.string(), name));
    if (!entries.emplace(last_name, stat).second)
      throw Error(fmt::format("{}: {} stands in it twice", path.string(), name));
  }
};

ArchiveReader::ArchiveReader(const std::filesystem::path& path, ArchiveEntries entries)
    : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  impl_->compressed_too = entries == ArchiveEntries::stored_and_compressed;
  if (!std::filesystem::is_regular_file(path))
    throw Error(fmt::format("{}: expected a checkpoint, found {}", path.string(),
                            std::filesystem::exists(path)
                                ? "no regular file"
                                : "no file (nothing is ever downloaded)"));
  if (std::filesystem::file_size(path) == 0)
    throw Error(fmt::format("{}: expected a checkpoint, found an empty file", path.string()));
  int code = 0;
  impl_->zip = zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code);
  if (impl_->zip == nullptr)
    throw Error(
        fmt::format("{}: expected a checkpoint (a PyTorch zip file), found something else, or a "
                    "file that was cut: {}",
                    path.string(), open_error(code)));
  const zip_int64_t count = zip_get_num_entries(impl_->zip, 0);
  if (count > most_entries)
    throw Error(fmt::format("{}: expected at most {} entries, found {}", path.string(),
                            most_entries, count));
  const std::uint64_t file_bytes = std::filesystem::file_size(path);
  std::uint64_t bytes = 0;
  for (zip_int64_t i = 0; i < count; ++i) {
    impl_->add_entry(static_cast<zip_uint64_t>(i));
    const zip_stat_t& entry = impl_->entries.at(impl_->last_name);
    const std::uint64_t size =
        entry.comp_method == ZIP_CM_STORE ? entry.size : std::uint64_t{entry.comp_size};
    // Stored entries that are larger together than their file lie over one another.
    if (size > file_bytes || (bytes += size) > file_bytes)
      throw Error(fmt::format("{}: its entries claim more than the {} bytes of the file",
                              path.string(), file_bytes));
  }
}

ArchiveReader::~ArchiveReader() = default;

bool ArchiveReader::has(const std::string& name) const { return impl_->entries.count(name) != 0; }

std::uint64_t ArchiveReader::size(const std::string& name) const {
  const auto found = impl_->entries.find(name);
  if (found == impl_->entries.end())
    throw Error(fmt::format("{}: expected an entry {}, found none", impl_->path.string(), name));
  return found->second.size;
}

std::vector<std::byte> ArchiveReader::read(const std::string& name,
                                           std::uint64_t limit_bytes) const {
  const std::uint64_t bytes = size(name);
  // A stored entry cannot be larger than the file that holds it.
  if (bytes > limit_bytes || bytes > std::filesystem::file_size(impl_->path))
    throw Error(fmt::format("{}: {}: expected at most {} bytes, found {}", impl_->path.string(),
                            name, limit_bytes, bytes));
  zip_file_t* file = zip_fopen_index(impl_->zip, impl_->entries.at(name).index, 0);
  if (file == nullptr)
    throw Error(fmt::format("{}: {} cannot be read: {}", impl_->path.string(), name,
                            zip_strerror(impl_->zip)));
  std::vector<std::byte> out(bytes);
  zip_int64_t got = 0;
  std::uint64_t done = 0;
  while (done < bytes && (got = zip_fread(file, out.data() + done, bytes - done)) > 0)
    done += static_cast<std::uint64_t>(got);
  // One more read reaches the end, where the checksum is compared.
  char extra = 0;
  if (done == bytes) got = zip_fread(file, &extra, 1);
  const int closed = zip_fclose(file);
  if (done != bytes || got != 0 || closed != 0)
    throw Error(fmt::format("{}: {} is damaged (its checksum does not fit, or the file was cut)",
                            impl_->path.string(), name));
  return out;
}

void ArchiveReader::check_all() const {
  std::vector<char> part(std::size_t{1} << 16);
  for (const auto& [name, stat] : impl_->entries) {
    zip_file_t* file = zip_fopen_index(impl_->zip, stat.index, 0);
    zip_int64_t got = file == nullptr ? -1 : 0;
    std::uint64_t done = 0;
    // The last read gives nothing, and compares the checksum.
    while (file != nullptr && (got = zip_fread(file, part.data(), part.size())) > 0)
      done += static_cast<std::uint64_t>(got);
    const bool closed = file != nullptr && zip_fclose(file) == 0;
    if (got != 0 || !closed || done != stat.size)
      throw Error(fmt::format("{}: {} is damaged (its checksum does not fit, or the file was cut)",
                              impl_->path.string(), text::printable(name)));
  }
}

bool ArchiveReader::holds_torchscript() const {
  for (const auto& entry : impl_->entries) {
    const std::size_t slash = entry.first.find('/');
    if (slash == std::string::npos) continue;
    const std::string inner = entry.first.substr(slash + 1);
    if (inner == "constants.pkl" || inner.rfind("code/", 0) == 0) return true;
  }
  return false;
}

std::string ArchiveReader::root() const {
  std::string found;
  for (const auto& entry : impl_->entries) {
    const std::string& name = entry.first;
    const std::string tail = "/data.pkl";
    if (name.size() <= tail.size() ||
        name.compare(name.size() - tail.size(), tail.size(), tail) != 0)
      continue;
    if (!found.empty())
      throw Error(fmt::format("{}: expected one data.pkl, found two", impl_->path.string()));
    found = name.substr(0, name.size() - tail.size());
  }
  if (found.empty())
    throw Error(fmt::format("{}: expected a PyTorch checkpoint, found a zip file without data.pkl",
                            impl_->path.string()));
  return found;
}

}  // namespace yolov7::network
