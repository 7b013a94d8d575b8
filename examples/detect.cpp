// Prints the boxes of images: detect-cpp WEIGHTS IMAGE...
#include <cstdio>
#include <yolov7/yolov7.hpp>

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: detect-cpp WEIGHTS IMAGE...\n");
    return 2;
  }
  try {
    yolov7::Detector detector(arguments[1]);
    const auto names = detector.names();
    for (int i = 2; i < count; ++i) {
      const yolov7::Results results = detector.detect(std::string(arguments[i]));
      for (const yolov7::Box& box : results.boxes())
        std::printf("%s %.9g %.17g %.17g %.17g %.17g\n",
                    names[static_cast<std::size_t>(box.class_index)].c_str(), box.score, box.x1,
                    box.y1, box.x2, box.y2);
    }
  } catch (const yolov7::Exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.code();
  }
  return 0;
}
