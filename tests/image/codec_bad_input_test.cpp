#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "core/random.hpp"
#include "image/codec/codec.hpp"
#include "tests/image/picture_fixture.hpp"

using namespace yolov7;
using fixture::decode_error;
using fixture::little;

namespace {

using namespace std::string_literals;

const char* const extensions[] = {"jpg", "png", "bmp", "webp", "tif"};

std::string replaced(std::string bytes, std::size_t at, const std::string& with) {
  return bytes.replace(at, with.size(), with);
}

// A TIFF of nothing but a directory: (tag, value) as LONGs, ascending by tag.
std::string tiff_header(const std::vector<std::pair<unsigned, unsigned>>& entries) {
  std::string bytes = "II*\0"s + little(8, 4) + little(entries.size(), 2);
  for (const auto& entry : entries)
    bytes += little(entry.first, 2) + little(4, 2) + little(1, 4) + little(entry.second, 4);
  return bytes + little(0, 4);
}

struct Case {
  const char* name;
  std::string bytes, message;  // the message, or how it begins
};

void expect_errors(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const std::string found = decode_error(one.bytes);
    EXPECT_EQ(found.substr(0, one.message.size()), one.message) << one.name << ": " << found;
    EXPECT_EQ(found.find('\n'), std::string::npos) << one.name;
  }
}

}  // namespace

TEST(CodecBadInput, NotAPicture) {
  expect_errors({
      {"zero bytes", "", "p: the file is empty (0 bytes), expected an image"},
      {"text", "hello world",
       "p: expected a JPEG, PNG, BMP, WebP or TIFF image; it begins with the bytes 68 65 6c 6c "
       "6f 20 77 6f"},
      {"one byte", "\xff",
       "p: expected a JPEG, PNG, BMP, WebP or TIFF image; it begins with the bytes ff"},
      {"GIF", "GIF89a\1\0\1\0"s, "p: expected a JPEG, PNG, BMP, WebP or TIFF image; it is a GIF"},
      {"HEIC", "\0\0\0\x18"s + "ftypheic",
       "p: expected a JPEG, PNG, BMP, WebP or TIFF image; it is an HEIF, AVIF or video file"},
      {"AppleDouble", "\0\5\x16\7"s + std::string(80, '\0'),
       "p: expected a JPEG, PNG, BMP, WebP or TIFF image; it begins with the bytes 00 05 16 07"},
      {"RIFF of another kind", "RIFF\4\0\0\0WAVE"s,
       "p: expected a JPEG, PNG, BMP, WebP or TIFF image;"},
  });
}

TEST(CodecBadInput, OverTheLimits) {
  const cv::Mat small = fixture::gradient(16, 16);
  const std::string png = encode_png(small), bmp = encode_picture("bmp", small),
                    jpeg = encode_jpeg(small);
  const std::string huge_png = fixture::big(100'000, 4) + fixture::big(100'000, 4);
  const std::string huge = little(100'000, 4);
  const std::string side =
      "p: an image of 100000 x 100000 px is over the limit of 65535 px per side";
  const std::size_t frame = jpeg.find("\xff\xc0");
  expect_errors({
      {"PNG", replaced(png, 16, huge_png), side},
      {"BMP", replaced(bmp, 18, huge + huge), side},
      {"BMP top-down", replaced(bmp, 18, huge + little(static_cast<unsigned>(-100'000), 4)), side},
      {"TIFF", tiff_header({{256, 100'000}, {257, 100'000}, {273, 8}, {279, 8}}), side},
      {"WebP", fixture::webp_of(fixture::vp8x(0, 100'000, 100'000)), side},
      {"JPEG", replaced(jpeg, frame + 5, "\xff\xdc\xff\xdc"),
       "p: an image of 65500 x 65500 px is over the limit of 178956970 pixels"},
      {"PNG of 2^32 - 1 px", replaced(png, 16, "\xff\xff\xff\xff\xff\xff\xff\xff"),
       "p: corrupt PNG: size 4294967295 x 4294967295 px"},
      {"TIFF of 2^32 - 1 px",
       tiff_header({{256, 0xffffffff}, {257, 0xffffffff}, {273, 8}, {279, 8}}),
       "p: an image of 4294967295 x 4294967295 px is over the limit of 65535 px per side"},
      {"BMP of -2^31 px", replaced(bmp, 22, little(0x80000000u, 4)),
       "p: an image of 16 x 2147483648 px is over the limit"},
  });
}

TEST(CodecBadInput, LimitsOfTheCaller) {
  const std::string png = encode_png(fixture::gradient(40, 30));
  DecodeLimits limits;
  limits.pixels = 40 * 30;
  EXPECT_NO_THROW(decode_picture(png, "p", limits));
  limits.pixels = 40 * 30 - 1;
  EXPECT_THROW(decode_picture(png, "p", limits), Error);
  limits = {};
  limits.side = 40;
  EXPECT_NO_THROW(decode_picture(png, "p", limits));
  limits.side = 39;
  EXPECT_THROW(read_picture_header(png, "p", limits), Error);
  limits = {};
  limits.file_bytes = png.size();
  EXPECT_NO_THROW(decode_picture(png, "p", limits));
  limits.file_bytes = png.size() - 1;
  EXPECT_THROW(decode_picture(png, "p", limits), Error);
}

TEST(CodecBadInput, CutAnywhere) {
  // Wherever a file is cut there is an Error, never a picture with an invented rest. The end marker
  // of a JPEG alone may be missing: codec_truncated_test.cpp.
  const cv::Mat picture = fixture::gradient(61, 47);
  for (const char* extension : extensions) {
    const std::string whole = encode_picture(extension, picture);
    const std::size_t end = extension == std::string("jpg") ? whole.size() - 2 : whole.size();
    for (std::size_t size = 0; size < end; size += size < 700 ? 1 : 37) {
      SCOPED_TRACE(testing::Message() << extension << " cut to " << size << " of " << whole.size());
      decode_error(whole.substr(0, size));
    }
    if (extension != std::string("jpg")) decode_error(whole.substr(0, whole.size() - 1));
  }
}

TEST(CodecBadInput, TruncationIsNamed) {
  const cv::Mat picture = fixture::gradient(64, 64);
  const struct {
    const char* extension;
    const char* message;
  } cases[] = {{"jpg", "p: truncated or corrupt JPEG: "},
               {"png", "p: truncated or corrupt PNG: "},
               {"bmp", "p: truncated BMP: "},
               {"webp", "p: truncated WebP: "},
               {"tif", "p: truncated or corrupt TIFF: "}};
  for (const auto& one : cases) {
    const std::string whole = encode_picture(one.extension, picture);
    expect_errors({{one.extension, whole.substr(0, whole.size() / 2), one.message}});
  }
}

TEST(CodecBadInput, CorruptJpegData) {
  const std::string jpeg = fixture::jpeg_of(fixture::numbered(64, 64), {});
  // A marker in the middle of the entropy-coded data ends them too soon.
  const std::size_t middle = jpeg.size() * 3 / 4;
  expect_errors(
      {{"EOI inside", replaced(jpeg, middle, "\xff\xd9"), "p: truncated or corrupt JPEG: "},
       {"no frame", "\xff\xd8\xff\xd9", "p: truncated or corrupt JPEG: "}});
}

TEST(CodecBadInput, CorruptPngChecksum) {
  std::string png = encode_png(fixture::numbered(64, 64));
  png[png.find("IDAT") + 20] = static_cast<char>(png[png.find("IDAT") + 20] ^ 0x10);
  expect_errors({{"IDAT", png, "p: truncated or corrupt PNG: "}});
}

TEST(CodecBadInput, AnimatedWebp) {
  const std::string frame = encode_picture("webp", fixture::gradient(16, 16)).substr(12);
  const std::string animation = fixture::webp_of(
      fixture::vp8x(2, 16, 16) + fixture::riff_chunk("ANIM", std::string(6, '\0')) +
      fixture::riff_chunk(
          "ANMF", little(0, 6) + little(15, 3) + little(15, 3) + little(100, 3) + "\0"s + frame));
  expect_errors({{"animated", animation, "p: animated WebP is not supported: expected one image"}});
}

TEST(CodecBadInput, TiffHeadersThatPromiseTooMuch) {
  const auto base = [](std::vector<std::pair<unsigned, unsigned>> more) {
    std::vector<std::pair<unsigned, unsigned>> entries = {
        {256, 16}, {257, 16}, {258, 8}, {259, 1}, {262, 1}};
    entries.insert(entries.end(), more.begin(), more.end());
    return tiff_header(entries);
  };
  expect_errors({{"no width", tiff_header({{257, 16}, {273, 8}, {279, 8}}), "p: "},
                 {"samples", base({{273, 8}, {277, 60'000}, {279, 8}}),
                  "p: TIFF with 60000 samples per pixel is not supported (1 to 16)"},
                 {"tiles", base({{322, 1u << 30}, {323, 1u << 30}, {324, 8}, {325, 8}}), "p: "},
                 {"strip outside", base({{273, 1u << 30}, {278, 16}, {279, 256}}),
                  "p: truncated or corrupt TIFF: "}});
}

TEST(CodecBadInput, ChangedBytesNeverCrash) {
  // What comes out may be a picture (of the right size limits) or an Error, nothing else.
  const cv::Mat picture = fixture::gradient(33, 21);
  for (std::uint32_t format = 0; format < std::size(extensions); ++format) {
    const std::string whole = encode_picture(extensions[format], picture);
    int refused = 0;
    for (std::uint32_t round = 0; round < 1500; ++round) {
      Random random(11, format, round, 0);
      std::string changed = whole;
      const auto count = random.integer(1, 4);
      for (std::int64_t k = 0; k < count; ++k) {
        // Half of the changes hit the first 100 bytes, where the header is.
        const auto last = static_cast<std::int64_t>(changed.size()) - 1;
        const auto at = static_cast<std::size_t>(
            random.integer(0, random.chance(0.5) ? std::min<std::int64_t>(100, last) : last));
        changed[at] = static_cast<char>(random.integer(0, 255));
      }
      try {
        DecodeLimits limits;
        limits.pixels = 1'000'000;
        const cv::Mat decoded = decode_picture(changed, "p", limits);
        EXPECT_EQ(decoded.type(), CV_8UC3);
        EXPECT_LE(decoded.total(), 1'000'000u);
      } catch (const Error&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 100) << extensions[format];
  }
}
