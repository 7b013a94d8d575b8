#include "video/heif.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "core/error.hpp"

namespace yolov7::video {
namespace {

struct Damaged {};  // inside this file: a number or box that lies outside of what holds it

/// Big-endian numbers of a stretch of bytes, from its beginning.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t number(unsigned width) {
    std::uint64_t value = 0;
    for (const char c : take(width)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size()) throw Damaged{};
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  bool empty() const { return bytes_.empty(); }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

struct Box {
  std::string_view type, content;
};

/// The next box. `cut`: one that is longer than what is there is given as far as it goes.
Box next_box(Bytes& bytes, bool cut = false) {
  std::uint64_t size = bytes.u32(), head = 8;
  const std::string_view type = bytes.take(4);
  if (size == 1) size = bytes.number(8), head = 16;
  if (size == 0) size = bytes.rest().size() + head;
  if (size < head) throw Damaged{};
  const std::uint64_t length = size - head;
  return {type, bytes.take(cut ? std::min<std::uint64_t>(length, bytes.rest().size()) : length)};
}

struct Extent {
  std::uint64_t offset = 0, length = 0;
};

struct Item {
  std::string_view type;
  unsigned method = 0;  // 0 offsets in the file, 1 in idat
  bool elsewhere = false;
  std::vector<Extent> extents;
  std::vector<std::size_t> properties;  // from 1
  std::vector<std::uint32_t> parts;     // of a grid
};

class Heif {
 public:
  explicit Heif(std::string_view file) : file_(file) {
    std::string_view meta;
    for (Bytes bytes(file); meta.empty() && !bytes.empty();) {
      const Box box = next_box(bytes, true);
      if (box.type == "meta") meta = box.content;
    }
    Bytes bytes(meta);
    bytes.u32();  // version and flags
    while (!bytes.empty()) read_meta(next_box(bytes));
  }

  HeifImage primary() const {
    const Item& item = at(primary_);
    HeifImage image;
    if (item.type == "grid")
      read_grid(item, image);
    else
      image.parts.push_back(part_of(item));
    for (const Box& property : properties_of(item)) apply(property, image);
    if (image.width == 0 || image.height == 0) throw Damaged{};
    return image;
  }

 private:
  void read_meta(const Box& box) {
    Bytes bytes(box.content);
    if (box.type == "idat") {
      idat_ = box.content;
      return;
    }
    if (box.type == "iprp") {
      while (!bytes.empty()) read_properties(next_box(bytes));
      return;
    }
    if (box.type != "pitm" && box.type != "iinf" && box.type != "iloc" && box.type != "iref")
      return;
    const unsigned version = bytes.u8();
    bytes.take(3);
    if (box.type == "pitm") primary_ = id(bytes, version > 0);
    if (box.type == "iinf") read_infos(bytes, version);
    if (box.type == "iloc") read_places(bytes, version);
    if (box.type == "iref") read_references(bytes, version);
  }

  static std::uint32_t id(Bytes& bytes, bool wide) { return wide ? bytes.u32() : bytes.u16(); }

  void read_infos(Bytes& bytes, unsigned version) {
    bytes.number(version == 0 ? 2 : 4);  // how many
    while (!bytes.empty()) {
      const Box box = next_box(bytes);
      if (box.type != "infe") continue;
      Bytes info(box.content);
      const unsigned form = info.u8();
      info.take(3);
      if (form < 2) continue;
      Item& item = items_[id(info, form > 2)];
      info.u16();  // protection
      item.type = info.take(4);
    }
  }

  void read_places(Bytes& bytes, unsigned version) {
    const unsigned sizes = bytes.u8(), more = bytes.u8();
    const unsigned offset_size = sizes >> 4, length_size = sizes & 15, base_size = more >> 4,
                   index_size = version > 0 ? more & 15 : 0;
    const std::uint32_t count = id(bytes, version > 1);
    for (std::uint32_t i = 0; i < count; ++i) {
      Item& item = items_[id(bytes, version > 1)];
      item.method = version > 0 ? bytes.u16() & 15 : 0;
      item.elsewhere = bytes.u16() != 0;
      const std::uint64_t base = bytes.number(base_size);
      item.extents.clear();
      const unsigned extents = bytes.u16();
      for (unsigned k = 0; k < extents; ++k) {
        bytes.number(index_size);
        const std::uint64_t offset = bytes.number(offset_size), length = bytes.number(length_size);
        if (offset > std::numeric_limits<std::uint64_t>::max() - base) throw Damaged{};
        item.extents.push_back({base + offset, length});
      }
    }
  }

  void read_references(Bytes& bytes, unsigned version) {
    while (!bytes.empty()) {
      const Box box = next_box(bytes);
      if (box.type != "dimg") continue;
      Bytes reference(box.content);
      Item& item = items_[id(reference, version > 0)];
      const unsigned count = reference.u16();
      for (unsigned i = 0; i < count; ++i) item.parts.push_back(id(reference, version > 0));
    }
  }

  void read_properties(const Box& box) {
    Bytes bytes(box.content);
    if (box.type == "ipco")
      while (!bytes.empty()) properties_.push_back(next_box(bytes));
    if (box.type != "ipma") return;
    const std::uint32_t head = bytes.u32();
    const bool wide_id = head >> 24 != 0, wide_index = (head & 1) != 0;
    for (std::uint32_t count = bytes.u32(); count > 0; --count) {
      Item& item = items_[id(bytes, wide_id)];
      for (unsigned some = bytes.u8(); some > 0; --some)
        item.properties.push_back(wide_index ? bytes.u16() & 0x7FFF : bytes.u8() & 0x7F);
    }
  }

  const Item& at(std::uint32_t number) const {
    const auto found = items_.find(number);
    if (found == items_.end()) throw Damaged{};
    return found->second;
  }
  std::vector<Box> properties_of(const Item& item) const {
    std::vector<Box> found;
    for (const std::size_t index : item.properties) {
      if (index > properties_.size()) throw Damaged{};
      if (index > 0) found.push_back(properties_[index - 1]);
    }
    return found;
  }

  std::string data_of(const Item& item) const {
    if (item.elsewhere || item.method > 1) throw Error("its data lies in a way that is not read");
    const std::string_view whole = item.method == 1 ? idat_ : file_;
    std::string data;
    for (const Extent& one : item.extents) {
      if (one.offset > whole.size()) throw Damaged{};
      const std::string_view rest = whole.substr(one.offset);
      if (one.length > rest.size() || data.size() > whole.size()) throw Damaged{};
      data += one.length == 0 ? rest : rest.substr(0, one.length);
    }
    if (data.empty()) throw Damaged{};
    return data;
  }

  HeifPart part_of(const Item& item) const {
    HeifPart part;
    part.av1 = item.type == "av01";
    if (!part.av1 && item.type != "hvc1" && item.type != "hev1")
      throw Error(fmt::format("expected an image coded as HEVC or AV1, found '{}'", item.type));
    for (const Box& property : properties_of(item))
      if (property.type == (part.av1 ? "av1C" : "hvcC")) part.configuration = property.content;
    part.data = data_of(item);
    return part;
  }

  void read_grid(const Item& item, HeifImage& image) const {
    const std::string data = data_of(item);
    Bytes bytes(data);
    bytes.u8();  // version
    const unsigned width = (bytes.u8() & 1) != 0 ? 4 : 2;
    image.rows = bytes.u8() + 1u;
    image.columns = bytes.u8() + 1u;
    image.width = static_cast<std::uint32_t>(bytes.number(width));
    image.height = static_cast<std::uint32_t>(bytes.number(width));
    if (item.parts.size() != std::size_t{image.rows} * image.columns) throw Damaged{};
    // Parts may share bytes; 65,536 that all are the whole file would fill the memory.
    constexpr std::size_t most_shared = 16;
    std::size_t total = 0;
    for (const std::uint32_t part : item.parts) {
      image.parts.push_back(part_of(at(part)));
      total += image.parts.back().data.size();
      if (total > most_shared * file_.size()) throw Damaged{};
    }
  }

  static void apply(const Box& property, HeifImage& image) {
    Bytes bytes(property.content);
    if (property.type == "ispe") {
      bytes.u32();
      image.width = bytes.u32();
      image.height = bytes.u32();
    } else if (property.type == "clap") {
      image.steps.push_back(crop(bytes));
    } else if (property.type == "irot") {
      image.steps.push_back({HeifStep::Kind::turn, 0, 0, 0, 0, bytes.u8() & 3});
    } else if (property.type == "imir") {
      image.steps.push_back({HeifStep::Kind::mirror, 0, 0, 0, 0, bytes.u8() & 1});
    } else if (property.type == "colr" && bytes.take(4) == "nclx") {
      bytes.take(4);  // primaries, transfer
      image.matrix = bytes.u16();
      image.full_range = bytes.u8() >> 7 != 0;
    }
  }

  /// Width, height and the centre's distance from the middle, each as a fraction.
  static HeifStep crop(Bytes& bytes) {
    std::array<double, 4> value{};
    for (double& one : value) {
      const auto above = static_cast<std::int32_t>(bytes.u32());
      const auto below = static_cast<std::int32_t>(bytes.u32());
      if (below <= 0) throw Damaged{};
      one = static_cast<double>(above) / below;
    }
    return {HeifStep::Kind::crop, value[2], value[3], value[0], value[1], 0};
  }

  std::string_view file_, idat_;
  std::uint32_t primary_ = 0;
  std::map<std::uint32_t, Item> items_;
  std::vector<Box> properties_;
};

}  // namespace

bool is_heif(std::string_view bytes) {
  if (bytes.size() < 16 || bytes.substr(4, 4) != "ftyp") return false;
  const std::uint64_t size = Bytes(bytes).u32();
  const std::string_view brands = bytes.substr(8, std::min<std::uint64_t>(size, 4096) - 8);
  for (std::size_t at = 0; at + 4 <= brands.size(); at += 4)
    for (const std::string_view brand :
         {"mif1", "msf1", "heic", "heix", "heim", "heis", "hevc", "avif", "avis"})
      if (brands.substr(at, 4) == brand) return true;
  return false;
}

HeifImage read_heif(std::string_view bytes, const std::string& source) {
  try {
    return Heif(bytes).primary();
  } catch (const Damaged&) {
    throw Error(source + ": expected a whole HEIC or AVIF image, found one that is cut or damaged");
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", source, error.what()));
  }
}

}  // namespace yolov7::video
