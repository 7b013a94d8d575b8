// Writes the files that fuzzing starts from: fuzz_seeds FOLDER.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/network/config_fixture.hpp"
#include "tests/network/hostile_seeds.hpp"

int main(int argc, char** argv) {
  using namespace yolov7::network;
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  const auto put = [&](const std::string& kind, const std::string& name,
                       const std::string& content) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / kind;
    std::filesystem::create_directories(folder);
    std::ofstream(folder / name, std::ios::binary | std::ios::trunc) << content;
  };
  for (const char* path :
       {"training/yolov7-tiny.yaml", "training/yolov7-w6.yaml", "deploy/yolov7.yaml"})
    put("configs", std::string(path).replace(std::string(path).find('/'), 1, "-"),
        config_text(path));
  int number = 0;
  for (const hostile::Seed& seed : hostile::seeds())
    put("checkpoints", "file-" + std::to_string(number++), "\2" + seed.bytes);
  const hostile::SmallOfficial small;
  put("checkpoints", "pickle-tensor",
      "\1" + hostile::pickle(hostile::dictionary(
                 {{"model",
                   hostile::dictionary(
                       {{"model.0.m.0.weight",
                         hostile::tensor({"0", "FloatStorage", 16, 0, {4, 4}, {4, 1}})}})}})));
  put("checkpoints", "pickle-module",
      "\1" +
          hostile::pickle(hostile::instance(
              "models.yolo.Model", {{"yaml", small.yaml}, {"best", hostile::numpy_number(0.5)}})));
  put("tracks", "three",
      "1,1,10,10,20,20,0.9,-1,-1,-1\n2,1,12,10,20,20,0.9,-1,-1,-1\n2,2,100,10,20,20\n");
  put("labels", "yolo",
      std::string("\2") + "0 0.5 0.5 0.25 0.25\n1 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2\n");
  put("labels", "voc",
      std::string("\1") +
          "<annotation><filename>a.jpg</filename><size><width>8</width><height>8</height></"
          "size><object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
          "<xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>");
  put("json", "values", "{\"a\": [1, -2.5e3, true, null, \"\\u00e4\"], \"b\": {}}");
  return 0;
}
