#pragma once
// Pascal VOC folders made by code.
#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "dataset/formats/voc_import.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::test {

inline std::string voc_object(const std::string& name, const std::string& x1, const std::string& y1,
                              const std::string& x2, const std::string& y2,
                              bool difficult = false) {
  return fmt::format(
      "<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>{}</"
      "ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>\n",
      name, difficult ? 1 : 0, x1, y1, x2, y2);
}

inline std::string voc_xml(const std::string& filename, const std::string& objects,
                           const std::string& size = "") {
  return fmt::format("<annotation><filename>{}</filename>{}\n{}</annotation>\n", filename, size,
                     objects);
}

class VocImports : public testing::Test {
 protected:
  /// A picture of 100 × 50 px and its annotation with one box of class `name`.
  void pair(const std::string& stem, const std::string& name = "a") {
    write_gray(source / "JPEGImages" / (stem + ".png"), 100, 50, shade_++);
    xml("Annotations/" + stem + ".xml", stem + ".png", voc_object(name, "10", "10", "60", "35"));
  }
  void xml(const std::string& place, const std::string& filename, const std::string& objects,
           const std::string& size = "") {
    write_text(source / place, voc_xml(filename, objects, size));
  }
  dataset::Conversion convert() {
    options.source = source;
    options.out = folder / "out";
    return dataset::import_voc(options);
  }
  std::string label(const std::string& place) const {
    return read_text(folder / "out/labels" / place);
  }
  static bool dropped(const dataset::Conversion& c, const std::string& kind,
                      const std::string& file, const std::string& reason) {
    for (const auto& drop : c.drops)
      if (drop.kind == kind && drop.file == file && drop.reason.find(reason) != std::string::npos)
        return true;
    return false;
  }
  TemporaryFolder folder;
  std::filesystem::path source = folder / "VOC Ordner";
  dataset::VocImportOptions options;
  int shade_ = 1;
};

}  // namespace yolov7::test
