// Program for transforms_peer.py: apply_transforms PICTURE LIST OUT [class x1 y1 x2 y2]... runs a
// list on one picture and prints the boxes that are left.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "core/error.hpp"
#include "core/value.hpp"
#include "dataset/augment/transforms/catalogue.hpp"
#include "image/codec/codec.hpp"

using namespace yolov7;

int main(int count, char** arguments) {
  try {
    dataset::Sample sample{read_picture(arguments[1]), {}};
    for (int i = 4; i + 4 < count; i += 5)
      sample.objects.push_back({std::atoi(arguments[i]),
                                {std::atof(arguments[i + 1]), std::atof(arguments[i + 2]),
                                 std::atof(arguments[i + 3]), std::atof(arguments[i + 4])},
                                {}});
    const dataset::AugmentList list = dataset::AugmentList::parse(parse_yaml(arguments[2], "list"));
    for (const dataset::Stage stage :
         {dataset::Stage::geometry, dataset::Stage::pixels, dataset::Stage::erasing})
      list.run(stage, sample,
               [](std::size_t step) { return Random(1, 0, 0, static_cast<std::uint32_t>(step)); },
               {});
    write_picture(arguments[3], sample.picture);
    for (const dataset::Object& object : sample.objects)
      fmt::print("{} {} {} {} {}\n", object.class_index, object.box.x1, object.box.y1,
                 object.box.x2, object.box.y2);
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
