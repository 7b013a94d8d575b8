#pragma once
// Images without labels, each as two views of one geometry (training 25): a weak one for the
// averaged network, a strong one for the network that trains.
#include <memory>

#include "dataset/index/index.hpp"
#include "dataset/loading/loader.hpp"

namespace yolov7::training {

struct UnlabelledData {
  dataset::Index index;                                ///< no entry has a label
  std::unique_ptr<dataset::BatchLoader> weak, strong;  ///< the same images at the same places
};

/// Of the options of the labelled images: single images, flipped as they are, scaled by at most .5
/// and moved by at most .1; without rotation, mosaic, mixing and pasting. The weak view has nothing
/// else. The strong one has colour jitter, grey, blur and erased rectangles, and the flips, scales
/// and moves of the weak one, for they are drawn from the same numbers.
dataset::LoaderOptions weak_view(dataset::LoaderOptions options, int batch);
dataset::LoaderOptions strong_view(dataset::LoaderOptions options, int batch);

}  // namespace yolov7::training
