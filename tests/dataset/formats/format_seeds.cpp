#include "tests/dataset/formats/format_seeds.hpp"

#include <algorithm>

#include "dataset/formats/convert.hpp"
#include "dataset/formats/format_table.hpp"
#include "image/codec/file_kind.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::test {
namespace fs = std::filesystem;
namespace {

using Files = std::vector<std::pair<const char*, const char*>>;

/// Of the formats that are not written.
const std::map<std::string, Files>& by_hand() {
  static const std::map<std::string, Files> all = {
      {"superannotate",
       {{"a.png.json",
         R"({"metadata": {"name": "a.png", "width": 100, "height": 50}, "instances": [
{"type": "bbox", "className": "x", "points": {"x1": 10, "y1": 5, "x2": 30, "y2": 35}, "groupId": 1,
 "attributes": [{"groupName": "g", "name": "n"}]},
{"type": "polygon", "className": "y", "points": [1, 2, 11, 2, 11, 22], "exclude": [[5, 3, 6, 3, 6, 4]]}]})"},
        {"classes/classes.json", R"([{"id": 3, "name": "y"}, {"id": 4, "name": "x"}])"}}},
      {"darwin", {{"a.json", R"({"item": {"name": "a.png", "path": "/", "slots": [{"slot_name": "0",
"width": 100, "height": 50}]}, "annotations": [{"name": "x", "slot_names": ["0"], "bounding_box":
{"x": 10, "y": 5, "w": 20, "h": 30}}, {"name": "y", "polygon": {"paths": [[{"x": 1, "y": 2},
{"x": 11, "y": 2}, {"x": 11, "y": 22}]]}}]})"}}},
      {"segment-anything",
       {{"a.json", R"({"image": {"image_id": 7, "width": 100, "height": 50, "file_name": "a.png"},
"annotations": [{"id": 1, "bbox": [10, 5, 20, 30], "segmentation": {"size": [50, 100], "counts":
[0, 10, 4990]}}, {"id": 2, "bbox": [1, 2, 3, 4], "stability_score": 0.5}]})"}}},
      {"vott",
       {{"train-export.json", R"({"tags": [{"name": "x"}], "assets": {"1": {"asset": {"id": "1",
"name": "a.png", "size": {"width": 100, "height": 50}, "state": 2}, "regions": [{"id": "r", "type":
"RECTANGLE", "tags": ["x", "y"], "boundingBox": {"left": 10, "top": 5, "width": 20, "height": 30},
"points": [{"x": 10, "y": 5}]}]}}})"}}},
      {"scalabel",
       {{"train.json",
         R"([{"name": "a.png", "labels": [{"id": 0, "category": "x", "box2d": {"x1": 10,
"y1": 5, "x2": 30, "y2": 35}, "attributes": {"occluded": true}}, {"id": 1, "category": "y", "poly2d":
[{"vertices": [[1, 2], [11, 2], [11, 22]], "types": "LLL", "closed": true}]}], "attributes": {}}])"}}},
      {"labelbox",
       {{"export.ndjson",
         R"({"data_row": {"external_id": "a.png"}, "media_attributes": {"width": 100, "height": 50}, "projects": {"p": {"labels": [{"annotations": {"objects": [{"name": "x", "bounding_box": {"top": 5, "left": 10, "height": 30, "width": 20}}, {"name": "y", "polygon": [{"x": 1, "y": 2}, {"x": 11, "y": 2}, {"x": 11, "y": 22}]}]}}]}}}
{"data_row": {"external_id": "b.png"}, "media_attributes": {"width": 100, "height": 50}, "projects": {}}
)"}}},
      {"crowdhuman",
       {{"annotation_train.odgt",
         R"({"ID": "a", "gtboxes": [{"tag": "person", "fbox": [10, 5, 20, 30], "vbox": [12, 6, 10, 10], "hbox": [14, 5, 5, 5], "head_attr": {"ignore": 0}, "extra": {"box_id": 4}}]}
{"ID": "b", "gtboxes": [{"tag": "mask", "fbox": [60, 5, 20, 30], "extra": {"ignore": 1}}]}
)"}}},
      {"mot",
       {{"gt/gt.txt", "1,7,10,5,20,30,1,1,0.5\n2,7,12,5,20,30,1,1,1\n1,8,1,2,30,4,1,2,1\n"},
        {"gt/labels.txt", "x\ny\n"},
        {"seqinfo.ini", "imDir=.\nseqLength=2\nimWidth=100\nimHeight=50\nimExt=.png\n"}}},
      {"labelme-webtool",
       {{"a.xml",
         "<annotation><filename>a.png</filename><imagesize><nrows>50</nrows><ncols>100</ncols>"
         "</imagesize><object><name>x</name><deleted>0</deleted><attributes>a=1, b</attributes>"
         "<id>0</id><polygon><pt><x>1</x><y>2</y></pt><pt><x>11</x><y>2</y></pt><pt><x>11</x>"
         "<y>22</y></pt></polygon></object>\n<object><name>y</name><segm><box><xmin>10</xmin>"
         "<ymin>5</ymin><xmax>30</xmax><ymax>35</ymax></box></segm></object></annotation>"}}},
      {"cvat-rest",
       {{"annotations.json",
         R"({"version": 0, "tags": [{"frame": 1, "label_id": 3}], "shapes": [{"type": "rectangle",
"frame": 0, "label_id": 3, "points": [10, 5, 30, 35], "rotation": 90, "group": 2, "attributes": []},
{"type": "polygon", "frame": 0, "label_id": 3, "points": [1, 2, 11, 2, 11, 22]}], "tracks": [{"id": 4,
"label_id": 3, "shapes": [{"type": "rectangle", "frame": 0, "points": [60, 5, 70, 15]}, {"type":
"rectangle", "frame": 2, "points": [62, 5, 72, 15], "outside": true}]}]})"},
        {"labels.json", R"({"results": [{"id": 3, "name": "x", "attributes": []}]})"},
        {"manifest.jsonl", R"({"name": "a", "extension": ".png", "width": 100, "height": 50}
{"name": "b", "extension": ".png", "width": 100, "height": 50}
{"name": "c", "extension": ".png", "width": 100, "height": 50}
)"}}},
  };
  return all;
}

void write_images(const fs::path& folder) {
  int shade = 1;
  for (const char* name : {"a.png", "b.png", "c.png"}) write_gray(folder / name, 100, 50, shade++);
}

void write_coco(const fs::path& folder) {
  write_images(folder);
  write_text(folder / "instances_train.json", R"({"images": [
{"id": 5, "file_name": "a.png", "width": 100, "height": 50}, {"id": 6, "file_name": "b.png"},
{"id": 7, "file_name": "c.png"}], "annotations": [
{"id": 11, "image_id": 5, "category_id": 1, "bbox": [10.25, 5, 20, 30.125],
 "attributes": {"occluded": true, "speed": 2.5, "note": "n"}},
{"id": 12, "image_id": 6, "category_id": 2, "bbox": [40, 10, 20, 20], "score": 0.5,
 "segmentation": [[40, 10, 60, 10, 60, 30, 50, 20, 40, 30]]},
{"id": 13, "image_id": 6, "category_id": 1, "bbox": [60, 10, 20, 10],
 "attributes": {"rotation": 30, "track_id": "4", "frame": 1}}],
"categories": [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]})");
}

}  // namespace

std::vector<std::string> read_formats() {
  std::vector<std::string> names;
  for (const dataset::Format& format : dataset::formats())
    if (format.read != nullptr && format.name != "imagenet") names.push_back(format.name);
  return names;
}

void write_format_seed(const fs::path& folder, const std::string& format) {
  if (const auto known = by_hand().find(format); known != by_hand().end()) {
    write_images(format == "crowdhuman" ? folder / "Images" : folder);
    for (const auto& [place, content] : known->second) write_text(folder / place, content);
    if (format == "mot")
      for (const auto& [from, to] : {std::pair("a.png", "000001.png"), {"b.png", "000002.png"}})
        fs::rename(folder / from, folder / to);
    return;
  }
  // Once for each format: a conversion waits until its files are on the disk.
  static const ScratchFolder kept;
  if (!fs::exists(kept / format)) {
    if (!fs::exists(kept / "source")) write_coco(kept / "source");
    dataset::ConvertOptions options;
    options.source = kept / "source";
    options.out = kept / format;
    options.to = format;
    dataset::convert(options);
    fs::remove(kept / format / "conversion.json");
  }
  fs::copy(kept / format, folder, fs::copy_options::recursive);
}

std::vector<fs::path> annotation_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && !is_picture_name(entry.path())) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace yolov7::test
