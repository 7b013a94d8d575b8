#include "training/api.hpp"

#include "nn/exact_outputs.hpp"
#include "nn/torch_detector.hpp"
#include "nn/torchscript.hpp"
#include "training/trainer.hpp"

extern "C" __attribute__((visibility("default"))) const yolov7::training::Api*
yolov7_training_api() {
  static const yolov7::training::Api api{
      &yolov7::training::train,
      &yolov7::training::try_epoch,
      &yolov7::nn::make_torch_detector,
      &yolov7::nn::exact_outputs,
      {&yolov7::nn::write_script, &yolov7::nn::open_script, &yolov7::nn::script_values}};
  return &api;
}
