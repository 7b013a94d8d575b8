#include "search/hyperparameter_search.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"
#include "tests/stopping.hpp"

namespace yolov7::search {
namespace {

TEST(HyperparameterSearch, WhereItIsStoppedNoTrainingBegins) {
  const test::ScratchFolder scratch;
  SearchSetup setup;
  setup.folder = scratch.path();
  setup.search.genes = {{"lr0", 1, 1e-5, 0.1}};
  setup.search.start = {0.01};
  setup.search.options.generations = 3;
  setup.search.options.population = 1;
  setup.search.options.epochs = 1;
  setup.stop = test::stopped();
  const SearchOutcome outcome = run_search(setup);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_TRUE(outcome.trials.empty());
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "trials"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "hyp_evolved.yaml"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "evolve.csv"));
}

}  // namespace
}  // namespace yolov7::search
