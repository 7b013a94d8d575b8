#include "search/evolution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "run/csv_columns.hpp"

namespace yolov7::search {
namespace {

constexpr std::uint32_t parent_draw = 0x45564f01, mutation_draw = 0x45564f02;

double in_limits(const Gene& gene, double value) {
  return std::round(std::clamp(value, gene.low, gene.high) * 1e5) / 1e5;
}

bool is_whole(const Search& search, const Trial& trial) {
  return !trial.failed && trial.epochs == search.options.epochs;
}

bool better(const Trial& a, const Trial& b) {
  if (a.result.fitness != b.result.fitness) return a.result.fitness > b.result.fitness;
  return std::pair(a.generation, a.candidate) < std::pair(b.generation, b.candidate);
}

std::vector<const Trial*> best_first(std::vector<const Trial*> trials) {
  std::sort(trials.begin(), trials.end(),
            [](const Trial* a, const Trial* b) { return better(*a, *b); });
  return trials;
}

std::vector<double> parent_values(const Search& search, const std::vector<const Trial*>& best,
                                  int generation, int candidate) {
  std::vector<double> weights;
  for (const Trial* one : best)
    weights.push_back(one->result.fitness - best.back()->result.fitness + 1e-6);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (search.options.weighted_parents) {
    std::vector<double> mean(search.genes.size());
    for (std::size_t i = 0; i < best.size(); ++i)
      for (std::size_t g = 0; g < mean.size(); ++g)
        mean[g] += weights[i] / total * best[i]->values[g];
    for (std::size_t g = 0; g < mean.size(); ++g) mean[g] = in_limits(search.genes[g], mean[g]);
    return mean;
  }
  Random random(search.options.seed, static_cast<std::uint32_t>(generation),
                static_cast<std::uint32_t>(candidate), parent_draw);
  double left = random.uniform() * total;
  for (std::size_t i = 0; i + 1 < best.size(); ++i) {
    if (left < weights[i]) return best[i]->values;
    left -= weights[i];
  }
  return best.back()->values;
}

}  // namespace

const std::vector<Gene>& gene_table() {
  static const std::vector<Gene> table{{"lr0", 1, 1e-5, 0.1},
                                       {"lrf", 1, 0.01, 1},
                                       {"momentum", 0.3, 0.6, 0.98},
                                       {"weight_decay", 1, 0, 0.001},
                                       {"warmup_epochs", 1, 0, 5},
                                       {"warmup_momentum", 1, 0, 0.95},
                                       {"warmup_bias_lr", 1, 0, 0.2},
                                       {"box", 1, 0.02, 0.2},
                                       {"cls", 1, 0.2, 4},
                                       {"cls_pw", 1, 0.5, 2},
                                       {"obj", 1, 0.2, 4},
                                       {"obj_pw", 1, 0.5, 2},
                                       {"iou_t", 0, 0.1, 0.7},
                                       {"anchor_t", 1, 2, 8},
                                       {"anchors", 2, 2, 10},
                                       {"fl_gamma", 0, 0, 2},
                                       {"hsv_h", 1, 0, 0.1},
                                       {"hsv_s", 1, 0, 0.9},
                                       {"hsv_v", 1, 0, 0.9},
                                       {"degrees", 1, 0, 45},
                                       {"translate", 1, 0, 0.9},
                                       {"scale", 1, 0, 0.9},
                                       {"shear", 1, 0, 10},
                                       {"perspective", 0, 0, 0.001},
                                       {"flipud", 1, 0, 1},
                                       {"fliplr", 0, 0, 1},
                                       {"mosaic", 1, 0, 1},
                                       {"mixup", 1, 0, 1},
                                       {"copy_paste", 1, 0, 1},
                                       {"paste_in", 1, 0, 1}};
  return table;
}

std::vector<Gene> searched_genes(const std::vector<std::string>& keys,
                                 const std::vector<std::string>& wanted) {
  std::vector<std::string> known;
  for (const Gene& gene : gene_table())
    if (gene.gain > 0) known.push_back(gene.name);
  for (const std::string& name : wanted) {
    if (!text::contains(known, name))
      throw usage_error(fmt::format("{}: expected some of {}; found '{}'{}", setting_name("genes"),
                                    text::join(known, ", "), text::printable(name),
                                    text::did_you_mean(name, known)));
    if (!text::contains(keys, name))
      throw usage_error(
          fmt::format("{}: '{}' is not in the hyper-parameter file", setting_name("genes"), name));
  }
  std::vector<Gene> genes;
  for (const Gene& gene : gene_table())
    if (gene.gain > 0 && text::contains(keys, gene.name) &&
        (wanted.empty() || text::contains(wanted, gene.name)))
      genes.push_back(gene);
  if (genes.empty())
    throw usage_error(
        "evolve: expected at least one hyper-parameter that can be searched in the file, found "
        "none");
  return genes;
}

std::vector<double> start_values(const std::vector<Gene>& genes, run::Hyperparameters hyp) {
  const Settings table = settings(hyp);
  std::vector<double> values;
  for (const Gene& gene : genes) {
    const Setting& entry = table.resolve(gene.name);
    const auto* count = std::get_if<int*>(&entry.target);
    values.push_back(
        in_limits(gene, count != nullptr ? **count : *std::get<double*>(entry.target)));
  }
  return values;
}

run::Hyperparameters with_values(run::Hyperparameters hyp, const std::vector<Gene>& genes,
                                 const std::vector<double>& values) {
  const Settings table = settings(hyp);
  for (std::size_t i = 0; i < genes.size(); ++i) {
    const Setting& entry = table.resolve(genes[i].name);
    if (auto* count = std::get_if<int*>(&entry.target))
      **count = static_cast<int>(std::lround(values[i]));
    else
      *std::get<double*>(entry.target) = values[i];
  }
  return hyp;
}

std::vector<Rung> rungs(const SearchOptions& o) {
  if (!o.halving) return {{o.population, o.epochs}};
  std::vector<Rung> all;
  for (int candidates = o.population; candidates >= 1; candidates /= o.eta)
    all.push_back({candidates, o.epochs});
  double share = 1;
  for (auto rung = all.rbegin(); rung != all.rend(); ++rung, share /= o.eta)
    rung->epochs = std::max(1, static_cast<int>(std::lround(o.epochs * share)));
  return all;
}

std::vector<double> proposed_values(const Search& search, const std::vector<Trial>& finished,
                                    int generation, int candidate) {
  if (generation == 0) return search.start;
  std::vector<const Trial*> best;
  for (const Trial& trial : finished)
    if (trial.generation < generation && is_whole(search, trial)) best.push_back(&trial);
  best = best_first(best);
  constexpr std::size_t parents = 5;
  if (best.size() > parents) best.resize(parents);
  const std::vector<double> parent =
      best.empty() ? search.start : parent_values(search, best, generation, candidate);
  Random random(search.options.seed, static_cast<std::uint32_t>(generation),
                static_cast<std::uint32_t>(candidate), mutation_draw);
  std::vector<double> values = parent;
  constexpr int most_draws = 1000;  // no factor changes genes that are all 0
  for (int draw = 0; draw < most_draws && values == parent; ++draw) {
    const double strength = random.uniform();
    for (std::size_t g = 0; g < values.size(); ++g) {
      const bool mutates = random.chance(0.8);
      const double factor =
          search.genes[g].gain * (mutates ? 1 : 0) * random.normal() * strength * 0.2 + 1;
      values[g] = in_limits(search.genes[g], parent[g] * std::clamp(factor, 0.3, 3.0));
    }
  }
  return values;
}

std::vector<Trial> open_trials(const Search& search, const std::vector<Trial>& finished) {
  const auto find = [&](int generation, int candidate, int epochs) -> const Trial* {
    for (const Trial& trial : finished)
      if (trial.generation == generation && trial.candidate == candidate && trial.epochs == epochs)
        return &trial;
    return nullptr;
  };
  for (int generation = 0; generation < search.options.generations; ++generation) {
    const std::vector<Rung> plan =
        generation == 0 ? std::vector<Rung>{{1, search.options.epochs}} : rungs(search.options);
    std::vector<int> candidates(static_cast<std::size_t>(plan.front().candidates));
    std::iota(candidates.begin(), candidates.end(), 0);
    for (std::size_t k = 0; k < plan.size(); ++k) {
      std::vector<Trial> open;
      std::vector<const Trial*> done;
      for (const int candidate : candidates) {
        const Trial* trial = find(generation, candidate, plan[k].epochs);
        if (trial == nullptr)
          open.push_back({generation,
                          candidate,
                          plan[k].epochs,
                          false,
                          0,
                          {},
                          proposed_values(search, finished, generation, candidate)});
        else if (!trial->failed)
          done.push_back(trial);
      }
      if (!open.empty()) return open;
      done = best_first(done);
      candidates.clear();
      for (std::size_t i = 0;
           k + 1 < plan.size() &&
           i < std::min(done.size(), static_cast<std::size_t>(plan[k + 1].candidates));
           ++i)
        candidates.push_back(done[i]->candidate);
    }
  }
  return {};
}

const Trial* best_trial(const Search& search, const std::vector<Trial>& finished) {
  const Trial* best = nullptr;
  for (const Trial& trial : finished)
    if (is_whole(search, trial) && (best == nullptr || better(trial, *best))) best = &trial;
  return best;
}

double seconds_of(const Trial& trial, const std::vector<Trial>& finished,
                  const std::vector<run::EpochRecord>& records) {
  int first = 0;
  for (const Trial& one : finished)
    if (one.generation == trial.generation && one.candidate == trial.candidate &&
        one.epochs < trial.epochs)
      first = std::max(first, one.epochs);
  double sum = 0;
  for (const run::EpochRecord& record : records)
    if (record.epoch >= first && record.epoch < trial.epochs)
      sum += record.train_seconds + (record.validated ? record.val_seconds : 0);
  return sum;
}

namespace {

/// Numbers of a trial; the genes' values come behind these.
using Column = run::CsvColumn<Trial>;
constexpr std::size_t whole_columns = 3;  // generation, candidate, epochs

const std::vector<Column>& trial_columns() {
  using T = Trial&;
  static const std::vector<Column> list = {
      run::csv_column<Trial>("generation", [](T t) -> int& { return t.generation; }),
      run::csv_column<Trial>("candidate", [](T t) -> int& { return t.candidate; }),
      run::csv_column<Trial>("epochs", [](T t) -> int& { return t.epochs; }),
      run::csv_column<Trial>("failed", [](T t) -> bool& { return t.failed; }),
      run::csv_column<Trial>("seconds", [](T t) -> double& { return t.seconds; }),
      run::csv_column<Trial>("fitness", [](T t) -> double& { return t.result.fitness; }),
      run::csv_column<Trial>("official/precision",
                             [](T t) -> double& { return t.result.precision; }),
      run::csv_column<Trial>("official/recall", [](T t) -> double& { return t.result.recall; }),
      run::csv_column<Trial>("coco/mAP_0.5", [](T t) -> double& { return t.result.coco_map50; }),
      run::csv_column<Trial>("coco/mAP_0.5:0.95", [](T t) -> double& { return t.result.coco_map; }),
      run::csv_column<Trial>("val/box_loss", [](T t) -> double& { return t.result.val_loss[0]; }),
      run::csv_column<Trial>("val/obj_loss", [](T t) -> double& { return t.result.val_loss[1]; }),
      run::csv_column<Trial>("val/cls_loss", [](T t) -> double& { return t.result.val_loss[2]; }),
  };
  return list;
}

std::string csv_header(const std::vector<Gene>& genes) {
  std::vector<std::string> names;
  for (const Column& one : trial_columns()) names.emplace_back(one.name);
  for (const Gene& gene : genes) names.push_back(gene.name);
  return text::join(names, ",");
}

}  // namespace

std::string trials_csv(const std::vector<Gene>& genes, std::vector<Trial> trials) {
  const auto order = [](const Trial& t) { return std::tuple(t.generation, t.candidate, t.epochs); };
  std::sort(trials.begin(), trials.end(),
            [&](const Trial& a, const Trial& b) { return order(a) < order(b); });
  std::string out = csv_header(genes) + "\n";
  for (const Trial& trial : trials) {
    std::vector<std::string> cells;
    for (const Column& one : trial_columns()) cells.push_back(fmt::format("{}", one.get(trial)));
    for (const double value : trial.values) cells.push_back(fmt::format("{}", value));
    out += text::join(cells, ",") + "\n";
  }
  return out;
}

std::vector<Trial> parse_trials_csv(const std::vector<Gene>& genes, const std::string& content,
                                    const std::string& source) {
  const auto rows = text::lines(content);
  const std::string header = csv_header(genes);
  if (rows.empty() || rows[0] != header)
    throw Error(fmt::format(
        "{}:1: expected the columns {}, found {}", source, header,
        rows.empty() ? "an empty file" : text::printable(std::string(rows[0].substr(0, 200)))));
  const auto names = text::split(header, ',');
  std::vector<Trial> trials;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto cells = text::split(rows[i], ',');
    if (cells.size() != names.size())
      throw Error(fmt::format("{}:{}: expected {} columns, found {}", source, i + 1, names.size(),
                              cells.size()));
    Trial trial;
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const auto value = text::parse_double(cells[j]);
      if (!value)
        throw Error(fmt::format("{}:{}: expected a number in column {}, found '{}'", source, i + 1,
                                names[j], text::printable(cells[j])));
      const bool own = j < trial_columns().size();
      // A training that failed may have losses without a value.
      if (!std::isfinite(*value) && !(own && names[j].starts_with("val/")))
        throw Error(fmt::format("{}:{}: expected a finite number in column {}, found '{}'", source,
                                i + 1, names[j], text::printable(cells[j])));
      if (own && j < whole_columns && !text::parse_int(cells[j]))
        throw Error(fmt::format("{}:{}: expected a whole number in column {}, found '{}'", source,
                                i + 1, names[j], text::printable(cells[j])));
      if (own)
        trial_columns()[j].set(trial, *value);
      else
        trial.values.push_back(*value);
    }
    trials.push_back(std::move(trial));
  }
  return trials;
}

}  // namespace yolov7::search
