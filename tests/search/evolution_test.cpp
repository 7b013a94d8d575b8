// The search of hyper-parameters: laws of the mutations, who is a parent, who is promoted, and that
// nothing but finished trials decides.
#include "search/evolution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "core/error.hpp"

namespace yolov7::search {
namespace {

Search search(SearchOptions options,
              std::vector<Gene> genes = {{"lr0", 1, 1e-5, 0.1}, {"degrees", 1, 0, 45}},
              std::vector<double> start = {0.01, 20}) {
  Search s;
  s.options = options;
  s.genes = std::move(genes);
  s.start = std::move(start);
  return s;
}

SearchOptions halving(int generations, int population, int eta, int epochs) {
  SearchOptions o;
  o.halving = true;
  o.generations = generations;
  o.population = population;
  o.eta = eta;
  o.epochs = epochs;
  return o;
}

Trial trial(int generation, int candidate, int epochs, double fitness, std::vector<double> values) {
  Trial t{generation, candidate, epochs, false, 0, {}, std::move(values)};
  t.result.fitness = fitness;
  return t;
}

TEST(Genes, OfAFile) {
  EXPECT_EQ(gene_table().size(), 30u);  // training 19
  std::vector<std::string> names;
  for (const Gene& gene : searched_genes({"lr0", "iou_t", "fliplr", "mosaic", "loss_ota"}, {}))
    names.push_back(gene.name);
  EXPECT_EQ(names, (std::vector<std::string>{
                       "lr0", "mosaic"}));  // iou_t and fliplr have a gain of 0, loss_ota no
                                            // limits, anchors is not in the file
  EXPECT_EQ(searched_genes({"lr0", "mosaic"}, {"mosaic"}).front().name, "mosaic");
  EXPECT_THROW(searched_genes({"lr0"}, {"mosaic"}), Error);  // not in the file
  EXPECT_THROW(searched_genes({"lr0"}, {"fliplr"}), Error);  // never mutated
  EXPECT_THROW(searched_genes({"loss_ota"}, {}), Error);
}

TEST(Genes, StartIsClampedAndRounded) {
  run::Hyperparameters hyp;
  hyp.lr0 = 0.5;
  hyp.warmup_bias_lr = 0.123456789;
  hyp.box = 0.001;
  const std::vector<Gene> genes = searched_genes({"lr0", "warmup_bias_lr", "box"}, {});
  EXPECT_EQ(start_values(genes, hyp), (std::vector<double>{0.1, 0.12346, 0.02}));
  const run::Hyperparameters other = with_values(hyp, genes, {0.003, 0.1, 0.07});
  EXPECT_EQ(other.lr0, 0.003);
  EXPECT_EQ(other.box, 0.07);
  EXPECT_EQ(other.momentum, hyp.momentum);
}

TEST(Rungs, ByHand) {
  const auto of = [](int population, int eta, int epochs) {
    std::vector<std::pair<int, int>> found;
    for (const Rung& rung : rungs(halving(10, population, eta, epochs)))
      found.emplace_back(rung.candidates, rung.epochs);
    return found;
  };
  using Plan = std::vector<std::pair<int, int>>;
  EXPECT_EQ(of(9, 3, 9), (Plan{{9, 1}, {3, 3}, {1, 9}}));
  EXPECT_EQ(of(8, 2, 12), (Plan{{8, 2}, {4, 3}, {2, 6}, {1, 12}}));  // 12 / 8 = 1.5 is rounded
  EXPECT_EQ(of(11, 3, 30), (Plan{{11, 3}, {3, 10}, {1, 30}}));
  EXPECT_EQ(of(9, 3, 2), (Plan{{9, 1}, {3, 1}, {1, 2}}));
  EXPECT_EQ(of(1, 3, 7), (Plan{{1, 7}}));
  EXPECT_EQ(rungs({}).size(), 1u);
}

// One gene, far from its limits: value / parent = clip(B · Z · u · 0.2 + 1, 0.3, 3), drawn again
// where it is the parent. So 1/5 of two genes' values are the parent's, given that not both are
// (0.2 · 0.8 / 0.96 = 1/6), and the variance of the factor is 0.04 · E[Z²] · E[u²] · 0.8 / 0.96.
TEST(Mutation, HasTheLawOfTheTable) {
  const Search s = search({}, {{"degrees", 1, 0, 1e6}, {"shear", 1, 0, 1e6}}, {20'000, 30'000});
  constexpr int draws = 20'000;
  int unchanged = 0;
  double sum = 0, squares = 0, product = 0;
  for (int i = 1; i <= draws; ++i) {
    const std::vector<double> values = proposed_values(s, {}, i, 0);
    ASSERT_NE(values, s.start);
    const double a = values[0] / 20'000 - 1, b = values[1] / 30'000 - 1;
    unchanged += a == 0;
    sum += a, squares += a * a, product += a * a * b * b;
    ASSERT_GE(a, -0.7);
    ASSERT_LE(a, 2);
    ASSERT_EQ(values[0], std::round(values[0] * 1e5) / 1e5);
  }
  const double n = draws, changed = 0.8 / 0.96, variance = 0.04 / 3 * changed,
               fourth = 0.0016 * 3 / 5 * changed;
  // Five standard errors each: E[Z⁴] = 3, E[u⁴] = 1/5. Clipping matters for |Z| u > 3.5 alone.
  EXPECT_NEAR(unchanged / n, 1 - changed, 5 * std::sqrt(changed * (1 - changed) / n));
  EXPECT_NEAR(sum / n, 0, 5 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n, variance, 5 * std::sqrt((fourth - variance * variance) / n));
  // u is one for all genes: E[a² b²] = 0.0016 · E[u⁴] · P(both change) = 0.0016 / 5 · 0.64 / 0.96;
  // independent ones would give variance² = 0.58 of it.
  EXPECT_NEAR(product / n, 0.0016 / 5 * 0.64 / 0.96, 2e-5);
}

TEST(Mutation, KeepsTheLimits) {
  const Search s = search({}, {{"lr0", 1, 1e-5, 0.1}}, {0.099});
  bool at_limit = false;
  for (int i = 1; i < 200; ++i) {
    const double value = proposed_values(s, {}, i, 0)[0];
    ASSERT_LE(value, 0.1);
    at_limit = at_limit || value == 0.1;
  }
  EXPECT_TRUE(at_limit);
  EXPECT_EQ(proposed_values(search({}, {{"mixup", 1, 0, 1}}, {0}), {}, 1, 0),
            (std::vector<double>{0}));  // nothing leads away from 0
}

// Five of six are parents, in proportion to their fitness above that of the fifth.
TEST(Parents, AreTheBestByFitness) {
  std::vector<Trial> finished;
  const std::vector<double> rates{0.1, 0.01, 0.001, 0.0001, 0.00002, 0.00001},
      fitness{0.5, 0.4, 0.3, 0.2, 0.1, 0.0};
  for (std::size_t i = 0; i < rates.size(); ++i)
    finished.push_back(trial(static_cast<int>(i), 0, 300, fitness[i], {rates[i], 0}));
  finished.push_back(trial(3, 1, 100, 0.9, {0.07, 0}));  // not trained to the end
  finished.push_back(trial(3, 2, 300, 0.9, {0.07, 0}));
  finished.back().failed = true;
  finished.push_back(trial(50, 0, 300, 0.9, {0.07, 0}));  // of a later generation
  std::map<int, int> counts;
  constexpr int draws = 4000;
  for (int i = 0; i < draws; ++i) {
    const double rate = proposed_values(search({}), finished, 10, i)[0];
    std::size_t nearest = 0;
    for (std::size_t k = 1; k < rates.size(); ++k)
      if (std::abs(std::log(rate / rates[k])) < std::abs(std::log(rate / rates[nearest])))
        nearest = k;
    ++counts[static_cast<int>(nearest)];
  }
  for (int k = 0; k < 4; ++k)
    EXPECT_NEAR(counts[k] / double(draws), (4 - k) / 10.0, 5 * std::sqrt(0.25 / draws)) << k;
  EXPECT_LT(counts[4] + counts[5], draws / 100);
  SearchOptions weighted;
  weighted.weighted_parents = true;
  // Mean of the best five: (4 · 0.1 + 3 · 0.01 + 2 · 0.001 + 0.0001) / 10 = 0.04321.
  double sum = 0;
  for (int i = 0; i < draws; ++i) sum += proposed_values(search(weighted), finished, 10, i)[0];
  EXPECT_NEAR(sum / draws, 0.04321, 5 * 0.04321 * std::sqrt(0.04 / 3 / draws));
}

/// A fitness that rises towards lr0 = 0.03 and with the epochs.
double fitness(const Trial& t) {
  return 1 / (1 + std::abs(std::log(t.values[0] / 0.03))) - 1.0 / (t.epochs + 1);
}

/// Trains all that is open, in an order that `random` chooses, at most `trainings` of them.
void train(const Search& s, std::vector<Trial>& finished, std::mt19937& random,
           int trainings = 1'000'000) {
  for (std::vector<Trial> open = open_trials(s, finished); !open.empty();
       open = open_trials(s, finished)) {
    std::shuffle(open.begin(), open.end(), random);
    for (Trial& one : open) {
      if (trainings-- == 0) return;
      one.result.fitness = fitness(one);
      finished.push_back(one);
    }
  }
}

TEST(Search, GoesOnAfterAnyCutAsIfThereHadBeenNone) {
  for (const SearchOptions& o :
       {halving(4, 9, 3, 9), SearchOptions{false, 12, 3, 3, 5, false, 8}}) {
    const Search s = search(o);
    std::mt19937 one(1), other(2);
    std::vector<Trial> whole, cut;
    train(s, whole, one);
    for (int pieces = 0; pieces < 200; ++pieces) train(s, cut, other, 1 + pieces % 3);
    EXPECT_EQ(trials_csv(s.genes, whole), trials_csv(s.genes, cut));
    EXPECT_EQ(whole.size(), o.halving ? 1u + 3 * (9 + 3 + 1) : 1u + 11 * 3);
    EXPECT_TRUE(open_trials(s, whole).empty());
    EXPECT_EQ(whole.front().values, s.start);
    EXPECT_GT(best_trial(s, whole)->result.fitness, whole.front().result.fitness);
  }
}

TEST(Search, PromotesTheBestThatDidNotFail) {
  const Search s = search(halving(2, 4, 2, 8));  // 4 to 2, 2 to 4, 1 to 8 epochs
  std::vector<Trial> finished{trial(0, 0, 8, 0.5, s.start)};
  std::vector<Trial> open = open_trials(s, finished);
  ASSERT_EQ(open.size(), 4u);
  for (Trial& one : open) {
    EXPECT_EQ(one.epochs, 2);
    one.result.fitness =
        std::vector<double>{0.1, 0.3, 0.9, 0.3}[static_cast<std::size_t>(one.candidate)];
    one.failed = one.candidate == 2;
    finished.push_back(one);
  }
  open = open_trials(s, finished);
  ASSERT_EQ(open.size(), 2u);  // of equals the first comes first
  EXPECT_EQ(open[0].candidate, 1);
  EXPECT_EQ(open[1].candidate, 3);
  EXPECT_EQ(open[0].epochs, 4);
  EXPECT_EQ(open[0].values, finished[2].values);
  for (Trial& one : open) one.failed = true, finished.push_back(one);
  EXPECT_TRUE(open_trials(s, finished).empty());  // nobody is left for the last rung
  EXPECT_EQ(best_trial(s, finished)->generation, 0);
}

TEST(Search, SecondsAreThoseOfTheTrialsOwnEpochs) {
  std::vector<run::EpochRecord> records(4);
  for (int epoch = 0; epoch < 4; ++epoch) {
    records[static_cast<std::size_t>(epoch)].epoch = epoch;
    records[static_cast<std::size_t>(epoch)].train_seconds = 10 + epoch;
    records[static_cast<std::size_t>(epoch)].val_seconds = 2;
  }
  records[0].validated = records[3].validated = true;  // at the end of each rung; else repeated
  const Trial first = trial(1, 2, 1, 0.5, {0.1}), whole = trial(1, 2, 4, 0.5, {0.1}),
              other = trial(1, 3, 2, 0.5, {0.1});
  EXPECT_EQ(seconds_of(first, {other}, records), 10 + 2);
  EXPECT_EQ(seconds_of(whole, {first, other}, records), 11 + 12 + 13 + 2);
  EXPECT_EQ(seconds_of(whole, {}, records), 10 + 11 + 12 + 13 + 2 + 2);
  EXPECT_EQ(seconds_of(whole, {}, {}), 0);
}

TEST(Search, TableReadsBackExactly) {
  const std::vector<Gene> genes{{"lr0", 1, 1e-5, 0.1}};
  std::vector<Trial> trials{trial(2, 1, 9, 1.0 / 3, {0.1234567890123456}),
                            trial(0, 0, 9, 0.25, {0.01})};
  trials[0].failed = true;
  trials[0].seconds = 12.5;
  trials[0].result.val_loss = {0.1, 0.2, 0.3};
  const std::string text = trials_csv(genes, trials);
  EXPECT_TRUE(text.starts_with(
      "generation,candidate,epochs,failed,seconds,fitness,official/precision,official/recall,coco/"
      "mAP_0.5,coco/mAP_0.5:0.95,val/box_loss,val/obj_loss,val/cls_loss,lr0\n0,0,9,"));
  const std::vector<Trial> read = parse_trials_csv(genes, text, "evolve.csv");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[1].result.fitness, 1.0 / 3);
  EXPECT_EQ(read[1].values, trials[0].values);
  EXPECT_TRUE(read[1].failed);
  EXPECT_EQ(trials_csv(genes, read), text);
  const auto error = [&](const std::string& content, const std::vector<Gene>& with) {
    try {
      parse_trials_csv(with, content, "evolve.csv");
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_TRUE(error(text, {{"box", 1, 0, 1}}).starts_with("evolve.csv:1: expected the columns"));
  EXPECT_TRUE(error("", genes).ends_with("found an empty file"));
  EXPECT_EQ(error(text + "1,2\n", genes), "evolve.csv:4: expected 14 columns, found 2");
  EXPECT_TRUE(error(text + "1,0,9,0,x,0,0,0,0,0,0,0,0,0\n", genes)
                  .starts_with("evolve.csv:4: expected a number in column seconds, found 'x'"));
  EXPECT_EQ(error(text + "1.5,0,9,0,0,0,0,0,0,0,0,0,0,0\n", genes),
            "evolve.csv:4: expected a whole number in column generation, found '1.5'");
  EXPECT_EQ(error(text + "1,0,9,0,0,nan,0,0,0,0,0,0,0,0\n", genes),
            "evolve.csv:4: expected a finite number in column fitness, found 'nan'");
  EXPECT_EQ(error(text + "1,0,9,1,0,0,0,0,0,0,nan,0,0,0\n", genes), "") << "a loss may have none";
}

}  // namespace
}  // namespace yolov7::search
