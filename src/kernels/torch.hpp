#pragma once
// The one include of LibTorch, and the precompiled header: tensors and autograd. With all of
// torch/torch.h each file takes twice the time. The order matters: in C++20 mode clang with
// libstdc++ 12 needs c10::IValue complete before anything makes a vector of it.
#if !defined(_OPENMP) && !defined(YOLOV7_ONE_THREAD)
#error \
    "expected OpenMP (-fopenmp, cmake/dependencies.cmake): without it LibTorch's at::parallel_for runs on one thread and says nothing"
#endif
// clang-format off
#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>
#include <torch/utils.h>
// clang-format on
