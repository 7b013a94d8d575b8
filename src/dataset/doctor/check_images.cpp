// Images: broken, stored in an odd way, of an odd size, badly lit, blurred (data-services D1).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.hpp"
#include "dataset/doctor/checks.hpp"
#include "image/codec/file_kind.hpp"

namespace yolov7::dataset::doctor {
namespace fs = std::filesystem;
namespace {

// Gray levels and ratios. The set's own spread widens them where its images differ much.
constexpr double flat_spread = 1, low_contrast = 20, low_spread = 4, dark_level = 64,
                 bright_level = 250;
constexpr double light_step = 60, of_normal = 1.4826, light_deviations = 6;
constexpr double least_octave = -1.75, least_octaves = -3.2;  // measured: docs/data-check.md
constexpr double odd_ratio = 5;
constexpr double few = 0.3;

/// Median and scaled median deviation.
struct Centre {
  double middle = 0, deviation = 0;
};

Centre centre_of(std::vector<double> values) {
  if (values.empty()) return {};
  const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), half, values.end());
  Centre centre{*half, 0};
  for (double& value : values) value = std::abs(value - centre.middle);
  std::nth_element(values.begin(), half, values.end());
  centre.deviation = of_normal * *half;
  return centre;
}

/// What is usual in the set.
struct Usual {
  Centre mean, ratio;
  std::size_t looked = 0, gray = 0;
};

double side_ratio(const Picture& picture) {
  const double w = picture.facts.width, h = picture.facts.height;
  return std::max(w, h) / std::max(1.0, std::min(w, h));
}

Usual usual_of(const Subject& subject) {
  std::vector<double> means, ratios;
  Usual usual;
  for (const Split& split : subject.splits)
    for (const Picture& picture : split.pictures) {
      if (!picture.usable() || !picture.look.taken) continue;
      ++usual.looked;
      usual.gray += picture.look.gray ? 1 : 0;
      ratios.push_back(side_ratio(picture));
      if (picture.look.spread < flat_spread) continue;
      means.push_back(picture.look.mean);
    }
  usual.mean = centre_of(std::move(means));
  usual.ratio = centre_of(std::move(ratios));
  return usual;
}

const char* format_name(PictureFormat format) {
  switch (format) {
    case PictureFormat::jpeg: return "JPEG";
    case PictureFormat::png: return "PNG";
    case PictureFormat::bmp: return "BMP";
    case PictureFormat::webp: return "WebP";
    case PictureFormat::tiff: return "TIFF";
    case PictureFormat::further: break;
  }
  return "";
}

/// The suffixes of a format; the first is the usual one.
std::vector<std::string> suffixes(PictureFormat format) {
  switch (format) {
    case PictureFormat::jpeg: return {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"};
    case PictureFormat::png: return {".png"};
    case PictureFormat::bmp: return {".bmp", ".dib"};
    case PictureFormat::webp: return {".webp"};
    case PictureFormat::tiff: return {".tif", ".tiff", ".dng"};
    case PictureFormat::further: break;
  }
  return {};
}

void look_at_file(const Split& split, const Picture& picture, Findings& findings) {
  const PictureFacts& facts = picture.facts;
  if (!picture.usable()) {
    const FileKind kind = file_kind(picture.file);
    const bool unread = kind == FileKind::unread || kind == FileKind::video;
    Finding& finding = findings.add(unread ? "unread-image" : "broken-image", split.name,
                                    picture.file, facts.fault);
    finding.image = picture.file;
    finding.changes.push_back({Change::Kind::drop_image, 0, {}});
    return;
  }
  if (!facts.rows.whole())
    findings.add("truncated-image", split.name, picture.file, describe(facts.rows));
  if (facts.orientation != 1)
    findings.add("turned-image", split.name, picture.file,
                 fmt::format("EXIF orientation {}: the image is turned before it is used, so its "
                             "boxes must be those of the upright image",
                             facts.orientation));
  if (!picture.look.taken) return;
  const StoredForm& stored = picture.look.stored;
  const auto wanted = suffixes(stored.format);
  const std::string suffix = text::lower(picture.file.extension().string());
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), suffix) == wanted.end()) {
    Finding& finding = findings.add("wrong-suffix", split.name, picture.file,
                                    fmt::format("the content is {}, the name ends in '{}'",
                                                format_name(stored.format), suffix));
    finding.image = picture.file;
    finding.changes.push_back(
        {Change::Kind::rename_image, 0,
         fs::path(picture.file.filename()).replace_extension(wanted.front()).string()});
  }
  if (stored.cmyk || stored.bits > 8)
    findings.add("odd-storage", split.name, picture.file,
                 stored.cmyk
                     ? "stored as CMYK: colours are converted without a profile"
                     : fmt::format("stored with {} bits a sample: scaled to 8", stored.bits));
}

void look_at_size(const Split& split, const Picture& picture, const Usual& usual, int image_size,
                  Findings& findings) {
  const int longest = std::max(picture.facts.width, picture.facts.height);
  if (longest * 4 < image_size)
    findings.add("small-image", split.name, picture.file,
                 fmt::format("{} x {} px: less than a quarter of the {} px that it is enlarged to",
                             picture.facts.width, picture.facts.height, image_size));
  const double ratio = side_ratio(picture);
  if (ratio >= odd_ratio && ratio >= 2 * usual.ratio.middle)
    findings.add("odd-shape", split.name, picture.file,
                 fmt::format("{} x {} px: sides of {:.1f} to 1, where {:.1f} is usual in this set",
                             picture.facts.width, picture.facts.height, ratio, usual.ratio.middle));
}

void look_at_light(const Split& split, const Picture& picture, const Usual& usual,
                   Findings& findings) {
  const Look& look = picture.look;
  if (look.spread < flat_spread)
    findings.add(
        "constant-image", split.name, picture.file,
        fmt::format("all pixels are nearly equal: mean gray level {:.0f}, deviation {:.1f}",
                    look.mean, look.spread));
  const double step = std::max(light_step, light_deviations * usual.mean.deviation);
  const std::string levels = fmt::format(
      "gray levels: 1 % below {:.0f}, half below {:.0f}, 99 % below {:.0f}; mean {:.0f}, "
      "usual in this set {:.0f}",
      look.low, look.middle, look.high, look.mean, usual.mean.middle);
  if (look.high < dark_level || look.mean < usual.mean.middle - step)
    findings.add("dark-image", split.name, picture.file, levels);
  else if (look.middle >= bright_level || look.mean > usual.mean.middle + step)
    findings.add("bright-image", split.name, picture.file, levels);
  if (look.spread < flat_spread) return;
  if (look.high - look.low < low_contrast && look.spread < low_spread)
    findings.add("low-contrast", split.name, picture.file, levels);
  if (look.fine_octave < least_octave || look.fine_octaves < least_octaves)
    findings.add("blurred-image", split.name, picture.file,
                 fmt::format("structures of 1 to 2 px have {:.1f} % of the energy of those of 2 to "
                             "4 px, and {:.1f} % of those of 4 to 8 px",
                             100 * std::exp(look.fine_octave), 100 * std::exp(look.fine_octaves)));
  if (look.gray && static_cast<double>(usual.gray) < few * static_cast<double>(usual.looked))
    findings.add("gray-image", split.name, picture.file,
                 fmt::format("without colour, as {} of {} images", usual.gray, usual.looked));
}

void find_images(const Context& context, Findings& findings) {
  const Usual usual = usual_of(context.subject);
  constexpr int usual_size = 640;
  const int image_size = context.subject.network ? context.subject.network->image_size : usual_size;
  for (const Split& split : context.subject.splits)
    for (const Picture& picture : split.pictures) {
      look_at_file(split, picture, findings);
      if (!picture.usable() || !picture.look.taken) continue;
      look_at_size(split, picture, usual, image_size, findings);
      look_at_light(split, picture, usual, findings);
    }
}

}  // namespace

Family image_family() {
  return {
      "Images",
      {{"broken-image", "cannot be read or decoded", Severity::error, true},
       {"unread-image", "a video, or a kind of image that is not read here", Severity::error, true},
       {"truncated-image", "lacks the end of its file and is used all the same"},
       {"wrong-suffix", "content of another format than the name says", Severity::info, true},
       {"turned-image", "is turned by its EXIF orientation", Severity::info},
       {"odd-storage", "CMYK, or more than 8 bits a sample", Severity::info},
       {"gray-image", "without colour in a set that has colours", Severity::info},
       {"small-image", "less than a quarter of the training size", Severity::info},
       {"odd-shape", "sides of 5 to 1 or more, and twice what is usual"},
       {"constant-image", "all pixels are nearly equal: a deviation below 1"},
       {"low-contrast", "98 % of the pixels lie within 20 gray levels, with a deviation below 4",
        Severity::info},
       {"dark-image", "underexposed, by itself or against the set"},
       {"bright-image", "overexposed, by itself or against the set"},
       {"blurred-image", "hardly any fine structure: out of focus, moved or enlarged",
        Severity::info}},
      find_images};
}

}  // namespace yolov7::dataset::doctor
