#include "core/unpack.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <zip.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/error.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"

namespace yolov7 {
namespace fs = std::filesystem;
namespace {

struct DiscardZip {
  void operator()(zip_t* zip) const { zip_discard(zip); }
};
using Zip = std::unique_ptr<zip_t, DiscardZip>;

struct Entry {
  zip_uint64_t index = 0;
  std::string name;  ///< without the slash of a folder
  std::uint64_t bytes = 0;
  bool folder = false;
};

Zip open_zip(const fs::path& archive) {
  int code = 0;
  zip_t* zip = zip_open(archive.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code);
  if (zip == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw Error(
        fmt::format("{}: expected a zip archive, found something else, or a file that was cut: {}",
                    archive.string(), why));
  }
  return Zip(zip);
}

/// What is wrong with the name, or "".
std::string fault_of_name(const std::string& name, int most_depth) {
  if (name.empty()) return "expected a name, found none";
  if (name.starts_with('/')) return "expected a relative path, found an absolute one";
  if (name.find('\\') != std::string::npos) return "expected '/' in paths, found a backslash";
  if (name.size() > 1 && name[1] == ':') return "expected a relative path, found a drive";
  if (text::printable(name) != name) return "expected a name without control characters";
  const auto parts = text::split(name, '/');
  for (const std::string_view part : parts) {
    if (part == "..") return "expected a path inside the archive, found '..'";
    if (part.empty() || part == ".") return "expected a plain path, found an empty part or '.'";
    if (part.size() > 255) return "expected names of at most 255 bytes";
  }
  if (static_cast<int>(parts.size()) > most_depth)
    return fmt::format("expected a path of at most {} parts, found {}", most_depth, parts.size());
  return "";
}

/// The archive's list of entries, with all that it claims.
class Listing {
 public:
  Listing(zip_t* zip, const fs::path& archive, const UnpackLimits& limits)
      : zip_(zip), archive_(archive), limits_(limits), archive_bytes_(fs::file_size(archive)) {
    const auto count = static_cast<std::uint64_t>(zip_get_num_entries(zip_, 0));
    if (count > limits_.entries)
      throw Error(fmt::format("{}: expected at most {} entries, found {}", archive_.string(),
                              limits_.entries, count));
    for (zip_uint64_t i = 0; i < count; ++i) add(i);
    check_total();
  }
  const std::vector<Entry>& entries() const { return entries_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  [[noreturn]] void refuse(const std::string& name, const std::string& why) const {
    throw Error(fmt::format("{}: {}: {}", archive_.string(), text::printable(name), why));
  }

  void add(zip_uint64_t index) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    constexpr auto wanted = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat_index(zip_, index, 0, &stat) != 0 || (stat.valid & wanted) != wanted)
      throw Error(fmt::format("{}: entry {} cannot be read: {}", archive_.string(), index,
                              zip_strerror(zip_)));
    Entry entry{index, stat.name, stat.size, false};
    if (entry.name.ends_with('/')) {
      entry.folder = true;
      entry.name.pop_back();
    }
    if (const std::string why = fault_of_name(entry.name, limits_.depth); !why.empty())
      refuse(entry.name, why);
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE)
      refuse(entry.name, "expected an entry that is not encrypted");
    check_kind(entry);
    claim(entry);
    if (stat.size > limits_.entry_bytes)
      refuse(entry.name,
             fmt::format("expected at most {} bytes, found {}", limits_.entry_bytes, stat.size));
    // Neither sum can leave 64 bits: each part is bounded, and so is their number.
    if (stat.comp_size > archive_bytes_ || (packed_ += stat.comp_size) > archive_bytes_)
      refuse(entry.name, "its entries claim more bytes than the archive has");
    bytes_ += stat.size;
    if (bytes_ > limits_.total_bytes)
      throw Error(fmt::format("{}: expected at most {} bytes in it, found more", archive_.string(),
                              limits_.total_bytes));
    entries_.push_back(std::move(entry));
  }

  /// Links and devices: only Unix archives can say so.
  void check_kind(const Entry& entry) const {
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    if (zip_file_get_external_attributes(zip_, entry.index, 0, &system, &attributes) != 0 ||
        (system != ZIP_OPSYS_UNIX && system != ZIP_OPSYS_OS_X))
      return;
    const mode_t mode = (attributes >> 16) & S_IFMT;
    if (mode == S_IFLNK) refuse(entry.name, "expected a file, found a symbolic link");
    if (mode != 0 && mode != S_IFREG && mode != S_IFDIR)
      refuse(entry.name, "expected a file or a folder, found a device or a pipe");
  }

  /// Each path once, and none both a file and a folder of another.
  void claim(const Entry& entry) {
    const auto [place, fresh] = kinds_.emplace(entry.name, entry.folder);
    if (!fresh && !(entry.folder && place->second)) refuse(entry.name, "it stands there twice");
    for (std::size_t at = entry.name.rfind('/'); at != std::string::npos && at > 0;
         at = entry.name.rfind('/', at - 1)) {
      const auto [parent, made] = kinds_.emplace(entry.name.substr(0, at), true);
      if (!parent->second) refuse(parent->first, "it is a file and a folder");
      if (!made) break;
    }
  }

  void check_total() const {
    const double ratio = static_cast<double>(bytes_) /
                         static_cast<double>(std::max<std::uint64_t>(archive_bytes_, 1));
    if (bytes_ > limits_.unchecked_bytes && ratio > limits_.ratio)
      throw Error(fmt::format(
          "{}: expected content at most {:g} times as large as the archive, found {:.0f} times",
          archive_.string(), limits_.ratio, ratio));
  }

  zip_t* zip_;
  const fs::path& archive_;
  const UnpackLimits& limits_;
  std::uint64_t archive_bytes_, packed_ = 0, bytes_ = 0;
  std::unordered_map<std::string, bool> kinds_;  // whether it is a folder
  std::vector<Entry> entries_;
};

struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

void write_entry(zip_t* zip, const Entry& entry, const fs::path& archive, const fs::path& target) {
  const auto damaged = [&] {
    return Error(fmt::format("{}: {} is damaged (its checksum does not fit, or the file was cut)",
                             archive.string(), entry.name));
  };
  const std::unique_ptr<zip_file_t, CloseEntry> from(zip_fopen_index(zip, entry.index, 0));
  if (!from)
    throw Error(
        fmt::format("{}: {} cannot be read: {}", archive.string(), entry.name, zip_strerror(zip)));
  // "x": never through something that is there already.
  std::unique_ptr<std::FILE, CloseFile> to(std::fopen(target.c_str(), "wbx"));
  const auto failed = [&] {
    return Error(fmt::format("{}: cannot write: {}", target.string(), std::strerror(errno)));
  };
  if (!to) throw failed();
  std::vector<char> piece(1 << 16);
  std::uint64_t done = 0;
  for (;;) {
    const zip_int64_t got = zip_fread(from.get(), piece.data(), piece.size());
    if (got < 0) throw damaged();
    if (got == 0) break;
    done += static_cast<std::uint64_t>(got);
    if (done > entry.bytes) throw damaged();
    if (std::fwrite(piece.data(), 1, static_cast<std::size_t>(got), to.get()) !=
        static_cast<std::size_t>(got))
      throw failed();
  }
  if (done != entry.bytes) throw damaged();
  if (std::fclose(to.release()) != 0) throw failed();
}

}  // namespace

Unpacked unpack_zip(const fs::path& archive, const fs::path& folder, const UnpackLimits& limits,
                    const std::stop_token& stop) {
  const Zip zip = open_zip(archive);
  const Listing listing(zip.get(), archive, limits);
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (!error && listing.bytes() > space.available)
    throw Error(fmt::format("{}: expected {} free bytes on the disk for what is in {}, found {}",
                            folder.string(), listing.bytes(), archive.string(), space.available));
  Progress progress("unpacking", listing.entries().size(), "files");
  Unpacked result;
  for (const Entry& entry : listing.entries()) {
    check_stop(stop);
    const fs::path target = folder / fs::path(entry.name);
    fs::create_directories(entry.folder ? target : target.parent_path());
    if (!entry.folder) {
      write_entry(zip.get(), entry, archive, target);
      ++result.files;
      result.bytes += entry.bytes;
    }
    progress.advance();
  }
  return result;
}

}  // namespace yolov7
