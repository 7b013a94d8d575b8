#include "cli/verbs/proof_pictures.hpp"

#include <fmt/format.h>

#include "core/log.hpp"
#include "image/codec/codec.hpp"
#include "image/letterbox.hpp"
#include "runtime/frames/sources.hpp"

namespace yolov7::cli {
namespace {

constexpr std::size_t most_pictures =
    16;  // float64 takes its time; equality does not get truer with more

}  // namespace

std::vector<equivalence::ProofPicture> proof_pictures(const std::string& source, int height,
                                                      int width, int stride) {
  std::vector<equivalence::ProofPicture> pictures;
  const std::vector<runtime::SourcePicture> list = runtime::list_pictures(source, "images");
  for (const runtime::SourcePicture& one : list) {
    if (pictures.size() == most_pictures) {
      log::info(fmt::format("{}: the proof takes the first {} of {} images", source, most_pictures,
                            list.size()));
      break;
    }
    const cv::Mat bgr = read_picture(one.path);
    LetterboxOptions shape;
    shape.automatic = stride > 0;
    if (stride > 0) shape.stride = stride;
    const Letterbox geometry = letterbox_geometry(bgr.size(), {width, height}, shape);
    equivalence::ProofPicture picture{
        one.relative.string(), geometry.target.height, geometry.target.width, {}};
    to_planes(letterbox(bgr, geometry), picture.pixels);
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace yolov7::cli
