#pragma once
// A data set in another format than data.yaml, read and prepared already (formats/open_data): what
// read_index() takes in place of label files.
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "dataset/index/label.hpp"
#include "dataset/index/label_marks.hpp"
#include "dataset/index/picture_facts.hpp"

namespace yolov7::dataset {

struct ReadyImage {
  std::filesystem::path picture, annotation;
  PictureFacts facts;
  LabelFile labels;
  ImageMarks marks;
  bool annotated = true;  ///< somebody has looked at it: no box means no object
};

struct ReadySet {
  std::map<std::string, std::vector<ReadyImage>> splits;  ///< sorted by path
  std::string account;            ///< as conversion.json, what was dropped and where (JSON)
  std::size_t dropped = 0;        ///< annotations and boxes
  std::size_t pictures_read = 0;  ///< decoded; the cache vouched for the others
  std::filesystem::path cache_file;
};

}  // namespace yolov7::dataset
