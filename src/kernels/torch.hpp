#pragma once
// The one include of LibTorch, and the precompiled header. The order matters: in C++20 mode clang
// with libstdc++ 12 needs c10::IValue complete before anything makes a vector of it.
#if !defined(_OPENMP) && !defined(YOLOV7_ONE_THREAD)
#error \
    "expected OpenMP (-fopenmp, cmake/dependencies.cmake): without it LibTorch's at::parallel_for runs on one thread and says nothing"
#endif
// clang-format off
#include <ATen/core/ivalue.h>
#include <torch/torch.h>
// clang-format on
