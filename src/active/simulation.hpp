#pragma once
// Labelling strategies tried on a set that is labelled already: whose labels are bought in which
// order, and how long a network is trained with them (docs/active.md).
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "active/selection.hpp"

namespace yolov7::active {

/// A line of the comparison: a strategy of `active select` with what stands around it.
struct Arm {
  const char* name;
  const char* strategy;     ///< SelectOptions::strategy
  bool keep_similar;        ///< near duplicates are chosen, too
  bool whole;               ///< the whole budget by the strategy: no control, no empty images
  const char* description;  ///< for the option and the documentation
};
/// "auto", "random" (the one to beat), "random-unfiltered", "tutorial", …
std::span<const Arm> arms();
/// Error (usage): another name.
const Arm& arm_named(const std::string& name);
/// `base` as this arm chooses.
SelectOptions options_of(const Arm& arm, SelectOptions base);

/// The places of the choices in the order in which people label them. At any point the three parts
/// (strategy, control, empty) are there in about the shares in which they were chosen, so that a
/// budget that ends earlier than expected keeps these shares. Each part keeps its order.
std::vector<std::size_t> labelling_order(std::span<const Choice> choices);

/// What the true boxes of images cost, paid in order until the budget is used up: an image that
/// would exceed it ends the round.
struct Payment {
  std::size_t images = 0;  ///< of the order, from its front
  double spent = 0;        ///< of the budget, in its unit
};
/// `boxes`: true boxes of the images, in their order.
Payment pay(std::span<const std::size_t> boxes, const Budget& budget, const CostModel& cost);

/// How long a training is: every one has the same number of optimizer steps, whatever is labelled.
struct EqualSteps {
  std::size_t images = 0;  ///< of an epoch, repeated ones counted; a multiple of the batch
  int epochs = 0;          ///< epochs · images = steps · batch
};
/// The fewest steps an epoch that divide `steps`, hold all labelled images and make at most
/// `most_epochs` epochs. Error (usage): more images than steps · batch.
EqualSteps equal_steps(std::size_t labelled, int steps, int batch, int most_epochs = 20);
/// Places of `count` images, `wanted` in all: each as often as any other, or once more; which ones
/// is drawn by the seed.
std::vector<std::size_t> repeated_places(std::size_t count, std::size_t wanted, std::uint64_t seed);

/// The seed of a round's choice.
std::uint64_t round_seed(int seed, int round);

}  // namespace yolov7::active
