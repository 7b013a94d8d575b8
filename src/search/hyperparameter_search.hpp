#pragma once
// Trains the candidates of a search of hyper-parameters (search/evolution.hpp), each as a process
// of its own.
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "search/evolution.hpp"

namespace yolov7::search {

struct SearchSetup {
  std::filesystem::path folder;  ///< of the search; holds hyp.yaml, the start
  search::Search search;
  run::Hyperparameters start;                ///< of that file
  std::vector<std::string> train_arguments;  ///< of every training, without what the search
                                             ///< decides: hyp, epochs, folder, device
  std::vector<std::string> devices;  ///< training i of those at work at a time is given the (i mod
                                     ///< n)-th; empty = as trainings choose
  int parallel = 1;                  ///< trainings at a time
  double hours = 0;                  ///< after which no training begins; 0 = no limit
  std::stop_token stop = {};         ///< trainings at work end resumable, none begins
};

struct SearchOutcome {
  std::vector<search::Trial> trials;
  bool interrupted = false, out_of_time = false;
};

/// Goes on where <folder>/evolve.csv ends; trainings that were begun are resumed. After each
/// training evolve.csv is written anew (atomic), after each new best hyp_evolved.yaml, after each
/// generation evolve.png. Keeps the folder of the best training, removes those that are beaten.
/// Errors: the start itself cannot be trained; five trainings in a row failed; evolve.csv is of
/// another search.
SearchOutcome run_search(const SearchSetup& setup);
/// Folder of the training of a candidate.
std::filesystem::path trial_folder(const std::filesystem::path& search_folder,
                                   const search::Trial& trial);

}  // namespace yolov7::search
