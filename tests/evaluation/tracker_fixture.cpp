// Follows given detections: stdin "frame x1 y1 x2 y2 score" in the order of the frames, stdout
// MOTChallenge lines.
#include <fmt/format.h>

#include <iostream>
#include <vector>

#include "runtime/tracker.hpp"

using namespace yolov7;

int main(int count, char** values) {
  runtime::TrackOptions options;
  if (count > 1) options.high = std::stod(values[1]);
  runtime::ByteTracker tracker(options);
  std::vector<Detection> detections;
  long current = 1;
  const auto flush = [&] {
    for (const Detection& d : tracker.update(detections))
      fmt::print("{},{},{},{},{},{},{},-1,-1,-1\n", current, d.track, d.box.x1, d.box.y1,
                 d.box.width(), d.box.height(), d.score);
    detections.clear();
    ++current;
  };
  long frame;
  for (Detection d; std::cin >> frame >> d.box.x1 >> d.box.y1 >> d.box.x2 >> d.box.y2 >> d.score;
       detections.push_back(d))
    while (current < frame) flush();
  flush();
}
