#pragma once
// TFRecord files of TensorFlow's object detection interface: images and boxes in one file.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/formats/format.hpp"

namespace yolov7::dataset {

/// A feature of tf.train.Example: at most one of the lists is not empty.
struct TfFeature {
  std::vector<std::string_view> texts;  ///< into the record
  std::vector<float> reals;
  std::vector<std::int64_t> integers;
};
using TfExample = std::map<std::string, TfFeature, std::less<>>;

/// Error (without a place): broken protocol buffers.
TfExample parse_example(std::string_view record);
/// Whether the file begins as a record does: its length's checksum fits.
bool is_record_file(const SourceTree& tree, const std::filesystem::path& file);
std::vector<std::filesystem::path> record_files(const SourceTree& tree);
/// Where the image of a record comes to lie, relative to the folder of unpacked images: the name
/// that the record gives, made harmless, in a folder of its own. "" where there is no image in it.
std::filesystem::path unpacked_place(const std::filesystem::path& file, std::size_t number,
                                     const TfExample& example);
/// Writes the images in the records to `folder` and puts them into the tree.
void unpack_records(SourceTree& tree, const std::filesystem::path& folder,
                    const std::stop_token& stop);

/// label_map.pbtxt: number → name. Error (with `source` and line): not of that form.
std::map<std::int64_t, std::string> parse_label_map(std::string_view text,
                                                    const std::string& source);
std::string label_map_text(const std::vector<std::string>& names);

AnnotatedSet read_tfrecord(const Reading& reading);
void write_tfrecord(const Writing& writing);

}  // namespace yolov7::dataset
