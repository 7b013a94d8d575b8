// How an image file holds its pixels: JPEG, PNG and TIFF say it in their headers.
#include <cstdint>
#include <optional>

#include "dataset/doctor/look.hpp"

namespace yolov7::dataset::doctor {
namespace {

/// Unsigned numbers of a header, with every offset checked.
class HeaderBytes {
 public:
  HeaderBytes(std::string_view bytes, bool big_endian) : bytes_(bytes), big_(big_endian) {}
  std::optional<std::uint32_t> number(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t k = big_ ? i : size - 1 - i;
      value = value << 8 | static_cast<unsigned char>(bytes_[at + k]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_;
};

bool is_start_of_frame(std::uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

void read_jpeg(std::string_view bytes, StoredForm& form) {
  const HeaderBytes header(bytes, true);
  for (std::size_t at = 2; at < bytes.size();) {
    const auto lead = header.number(at, 1), marker = header.number(at + 1, 1),
               length = header.number(at + 2, 2);
    if (!lead || *lead != 0xFF || !marker) return;
    if (*marker == 0xFF) {  // a filling byte
      ++at;
      continue;
    }
    if (!length || *length < 2) return;
    if (is_start_of_frame(*marker)) {
      form.bits = static_cast<int>(header.number(at + 4, 1).value_or(8));
      form.channels = static_cast<int>(header.number(at + 9, 1).value_or(0));
      form.cmyk = form.channels == 4;
      return;
    }
    at += 2 + *length;
  }
}

void read_png(std::string_view bytes, StoredForm& form) {
  const HeaderBytes header(bytes, true);
  form.bits = static_cast<int>(header.number(24, 1).value_or(8));
  switch (header.number(25, 1).value_or(2)) {
    case 0: form.channels = 1; break;
    case 4: form.channels = 2; break;
    case 6: form.channels = 4; break;
    default: form.channels = 3; break;
  }
}

void read_tiff(std::string_view bytes, StoredForm& form) {
  const HeaderBytes header(bytes, bytes.front() == 'M');
  const auto directory = header.number(4, 4);
  const auto entries = directory ? header.number(*directory, 2) : std::nullopt;
  form.channels = 1;
  for (std::size_t i = 0; entries && i < *entries; ++i) {
    const std::size_t at = *directory + 2 + 12 * i;
    const auto tag = header.number(at, 2), type = header.number(at + 2, 2),
               count = header.number(at + 4, 4);
    if (!tag || !type || !count) return;
    auto value = header.number(at + 8, *type == 3 ? 2 : 4);
    if (*tag == 258 && *count > 2 && value)  // bits of each sample lie elsewhere
      value = header.number(*header.number(at + 8, 4), 2);
    if (!value) return;
    if (*tag == 258) form.bits = static_cast<int>(*value);
    if (*tag == 262) form.cmyk = *value == 5;
    if (*tag == 277) form.channels = static_cast<int>(*value);
  }
}

}  // namespace

StoredForm stored_form(std::string_view bytes) {
  StoredForm form;
  const auto format = picture_format(bytes);
  form.format = format.value_or(PictureFormat::further);
  if (format == PictureFormat::jpeg) read_jpeg(bytes, form);
  if (format == PictureFormat::png) read_png(bytes, form);
  if (format == PictureFormat::tiff) read_tiff(bytes, form);
  return form;
}

}  // namespace yolov7::dataset::doctor
