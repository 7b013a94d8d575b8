#include "training/api.hpp"

#include "training/exact_outputs.hpp"
#include "training/torch_detector.hpp"
#include "training/trainer.hpp"

extern "C" __attribute__((visibility("default"))) const yolov7::training::Api*
yolov7_training_api() {
  static const yolov7::training::Api api{
      &yolov7::training::train, &yolov7::training::make_torch_detector,
      static_cast<yolov7::training::AnchorSearch (*)(const yolov7::dataset::Index&, int,
                                                     const yolov7::training::AnchorSearchOptions&)>(
          &yolov7::training::search_anchors),
      &yolov7::training::exact_outputs};
  return &api;
}
