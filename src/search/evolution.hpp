#pragma once
// Search of hyper-parameters: evolution (training 19) and successive halving (Jamieson and
// Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS
// 2016). Everything here is a pure function of the search's settings and of the trials that are
// finished, so a search that is killed goes on as if nothing had been. Free of LibTorch.
#include <cstdint>
#include <string>
#include <vector>

#include "run/options.hpp"
#include "run/records.hpp"

namespace yolov7::search {

struct Gene {
  std::string name;        ///< key of the hyper-parameter file
  double gain, low, high;  ///< of its mutations; 0 = never mutated. Limits of its value
};
/// The whole table (training 19).
const std::vector<Gene>& gene_table();
/// Those with a gain that are among `keys` of the file and, unless `wanted` is empty, among
/// `wanted`. Errors (usage): a wanted one is unknown, never mutated or not in the file; none is
/// left.
std::vector<Gene> searched_genes(const std::vector<std::string>& keys,
                                 const std::vector<std::string>& wanted);

struct SearchOptions {
  bool halving = false;
  int generations = 300, population = 1, eta = 3;
  int epochs = 300;  ///< of a whole trial
  bool weighted_parents =
      false;  ///< the parent is the weighted mean of the best rather than one of them
  std::uint64_t seed = 0;
};

/// One training of a candidate up to some epoch.
struct Trial {
  int generation = 0, candidate = 0, epochs = 0;
  bool failed = false;         ///< the training ended with an error: neither promoted nor a parent
  double seconds = 0;          ///< seconds_of()
  run::EpochRecord result;     ///< of its last epoch
  std::vector<double> values;  ///< of the genes
};

struct Search {
  SearchOptions options;
  std::vector<Gene> genes;
  std::vector<double> start;  ///< values of the genes: the first trial
};

/// The genes' values as the file has them, clamped to their limits and rounded to 5 decimals.
std::vector<double> start_values(const std::vector<Gene>& genes, run::Hyperparameters hyp);
/// `hyp` with these values.
run::Hyperparameters with_values(run::Hyperparameters hyp, const std::vector<Gene>& genes,
                                 const std::vector<double>& values);

/// What a generation tries, rung by rung: how many candidates train up to which epoch. Evolution:
/// one rung with all candidates and epochs. Halving: r = ⌊log_eta population⌋ + 1 rungs of
/// ⌊population / eta^k⌋ candidates and epochs · eta^(k + 1 − r), at least 1.
struct Rung {
  int candidates, epochs;
};
std::vector<Rung> rungs(const SearchOptions& options);

/// The values of a candidate: the parent, drawn from the best five whole trials of earlier
/// generations by fitness above the worst of them
/// (+ 1e-6), times clip(gain · Bernoulli(0.8) · N(0, 1) · U(0, 1) · 0.2 + 1, 0.3, 3), the uniform
/// draw being one for all genes; drawn again until something differs from the parent. Generation 0
/// is the start.
std::vector<double> proposed_values(const Search& search, const std::vector<Trial>& finished,
                                    int generation, int candidate);

/// The trials that can be trained now, all of one rung of one generation: those that are not among
/// the finished ones. Empty: the search is over. A rung's candidates are the best of the one below,
/// by fitness, then by number.
std::vector<Trial> open_trials(const Search& search, const std::vector<Trial>& finished);

/// The whole trial of the highest fitness, the earliest of equals; nullptr if there is none.
const Trial* best_trial(const Search& search, const std::vector<Trial>& finished);

/// How long a trial's own epochs took, training and validation, in whatever calls: by the records
/// of its run folder, without those before it was promoted. An epoch that was cut counts from where
/// it went on; what stands around the epochs does not count.
double seconds_of(const Trial& trial, const std::vector<Trial>& finished,
                  const std::vector<run::EpochRecord>& records);

/// evolve.csv: one line a trial, in the order of generation, candidate, epochs; numbers in the
/// shortest form that reads back exactly.
std::string trials_csv(const std::vector<Gene>& genes, std::vector<Trial> trials);
/// Error names `source`, line and column; other genes than `genes` are one.
std::vector<Trial> parse_trials_csv(const std::vector<Gene>& genes, const std::string& content,
                                    const std::string& source);

}  // namespace yolov7::search
