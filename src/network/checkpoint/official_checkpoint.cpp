#include "network/checkpoint/official_checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/error.hpp"
#include "core/text.hpp"
#include "network/checkpoint/checkpoint_meta.hpp"
#include "network/checkpoint/foreign_weights.hpp"
#include "network/checkpoint/module_records.hpp"
#include "network/checkpoint/pickled_config.hpp"
#include "network/checkpoint/state_file.hpp"

namespace yolov7::network {
namespace {

using Kind = PickleValue::Kind;

std::optional<double> number(const PickleValue* value) {
  if (value == nullptr) return std::nullopt;
  if (value->kind == Kind::array && value->sequence.size() == 1) value = value->sequence[0];
  if (value->kind == Kind::real) return value->real;
  if (value->kind == Kind::integer) return static_cast<double>(value->integer);
  return std::nullopt;
}

/// Tensors below `state` of the optimizer, which are counted and not read. Entries may be shared:
/// the visits are bounded.
std::size_t optimizer_tensors(const PickleValue* optimizer) {
  const PickleValue* state = optimizer == nullptr ? nullptr : optimizer->find("state");
  std::size_t count = 0, visits = 0;
  if (state == nullptr) return 0;
  for (const auto& [parameter, entry] : state->dictionary) {
    visits += entry->dictionary.size() + 1;
    if (visits > 1'000'000) return count;
    for (const auto& [name, value] : entry->dictionary) count += value->kind == Kind::tensor;
  }
  return count;
}

void read_facts(const PickleValue& top, CheckpointFacts& facts) {
  if (const PickleValue* epoch = top.find("epoch");
      epoch != nullptr && epoch->kind == Kind::integer && epoch->integer >= 0)
    facts.epoch = epoch->integer;
  if (const PickleValue* date = top.find("date"); date != nullptr && date->kind == Kind::text)
    facts.date = date->text.substr(0, 100);
  facts.best_fitness = number(top.find("best_fitness"));
  facts.optimizer_tensors = optimizer_tensors(top.find("optimizer"));
}

/// A list, or a dictionary number → name (forks). Nothing where there is none of that form.
std::vector<std::string> class_names(const PickleValue* names) {
  std::vector<std::string> out;
  if (names == nullptr || names->sequence.size() + names->dictionary.size() > 100'000) return out;
  const auto usable = [](const PickleValue* name) {
    return name->kind == Kind::text && !name->text.empty() && name->text.size() <= 500;
  };
  for (const PickleValue* name : names->sequence) {
    if (!usable(name)) return {};
    out.push_back(name->text);
  }
  if (names->kind == Kind::dictionary) {
    out.resize(names->dictionary.size());
    for (const auto& [number, name] : names->dictionary) {
      if (!usable(name) || number->kind != Kind::integer || number->integer < 0 ||
          number->integer >= static_cast<std::int64_t>(out.size()))
        return {};
      out[static_cast<std::size_t>(number->integer)] = name->text;
    }
  }
  return out;
}

void name_classes(Checkpoint& c, std::vector<std::string> names) {
  if (names.size() == static_cast<std::size_t>(c.class_count)) {
    c.names = std::move(names);
    return;
  }
  if (!names.empty())
    c.facts.notes.push_back(
        fmt::format("the file names {} classes, its head has {}: the names are not used",
                    names.size(), c.class_count));
  else
    c.facts.notes.push_back("the file names no classes: they are numbered");
  for (int i = 0; i < c.class_count; ++i) c.names.push_back(fmt::format("{}", i));
}

Evidence evidence_of(const PickleValue& holder, const std::string& source) {
  Evidence evidence;
  const PickleValue *yaml = holder.find("yaml"), *file = holder.find("yaml_file");
  if (yaml == nullptr) return evidence;
  try {
    evidence.config = config_text(*yaml, source);
    const bool named = file != nullptr && file->kind == Kind::text && !file->text.empty() &&
                       file->text.size() <= 200;
    evidence.config_source =
        named ? file->text.substr(file->text.find_last_of('/') + 1) + " (in the checkpoint)"
              : "configuration in the checkpoint";
  } catch (const Error& error) {
    evidence.config_problem = error.what();
  }
  return evidence;
}

/// "module." before every name goes; names that begin with a layer's number get the official
/// "model.".
Weights official_names(Weights weights) {
  const auto all = [&](auto holds) {
    return std::all_of(weights.entries().begin(), weights.entries().end(),
                       [&](const auto& entry) { return holds(entry.first); });
  };
  const bool wrapped = all([](const std::string& name) { return name.rfind("module.", 0) == 0; });
  const std::size_t skip = wrapped ? 7 : 0;
  const bool bare = all([&](const std::string& name) {
    return name.size() > skip && std::isdigit(static_cast<unsigned char>(name[skip])) != 0;
  });
  if (!wrapped && !bare) return weights;
  Weights out;
  for (auto& [name, tensor] : weights.release())
    out.set((bare ? "model." : "") + name.substr(skip), std::move(tensor));
  return out;
}

Weights read_module(TensorReader& reader, const PickleValue& module, const std::string& source) {
  Weights weights;
  for (const auto& [name, claim] : named_tensors(module, source)) {
    if (weights.find(name) != nullptr)
      throw Error(fmt::format("{}: {} stands in it twice", source, text::printable(name)));
    weights.set(name, reader.read(*claim, name));
  }
  return weights;
}

/// recognise(), whose Error says which other program the weights are of, where that is known.
Recognised recognised(const Weights& weights, const Evidence& evidence, const std::string& source) {
  try {
    return recognise(weights, evidence, source);
  } catch (const Error& error) {
    std::string_view program;
    if (evidence.model != nullptr) program = foreign_model(*evidence.model);
    if (program.empty()) program = foreign_weights(weights);
    throw_unrecognised(program, error.what(), source);
  }
}

bool is_module(const PickleValue* value) { return value != nullptr && value->kind == Kind::module; }

/// A dictionary of at least one tensor and nothing else.
bool is_tensors(const PickleValue* value) {
  if (value == nullptr || value->kind != Kind::dictionary || value->dictionary.empty())
    return false;
  return std::all_of(value->dictionary.begin(), value->dictionary.end(), [](const auto& pair) {
    return pair.first->kind == Kind::text && pair.second->kind == Kind::tensor;
  });
}

Weights read_tensors(TensorReader& reader, const PickleValue& dictionary) {
  Weights weights;
  for (const auto& [name, value] : dictionary.dictionary)
    weights.set(name->text, reader.read(*value->tensor, name->text));
  return weights;
}

Checkpoint read_models(const TorchContainer& container, const PickleValue* ema,
                       const PickleValue* model, const std::string& source) {
  TensorReader reader(container, source);
  const PickleValue& chosen = unwrapped(is_module(ema) ? *ema : *model);
  Evidence evidence = evidence_of(chosen, source);
  evidence.model = &chosen;
  Checkpoint c;
  c.facts.format = CheckpointFacts::Format::model;
  Weights weights = read_module(reader, chosen, source);
  const Recognised found = recognised(weights, evidence, source);
  c.config = found.config;
  c.config_source = found.config_source;
  c.class_count = found.class_count;
  c.facts.notes = found.notes;
  (is_module(ema) ? c.ema : c.model) = arranged(std::move(weights), found, source, c.facts.notes);
  if (is_module(ema) && is_module(model))
    c.model =
        arranged(read_module(reader, unwrapped(*model), source), found, source, c.facts.notes);
  name_classes(c, class_names(chosen.find("names")));
  return c;
}

std::string keys_of(const PickleValue& top) {
  std::vector<std::string> names;
  for (const auto& [key, value] : top.dictionary)
    if (names.size() < 10 && key->kind == Kind::text)
      names.push_back(text::printable(key->text.substr(0, 40)));
  return names.empty() ? "nothing of either" : "the keys " + text::join(names, ", ");
}

}  // namespace

Checkpoint describe_tensors(Weights weights, const std::string& description, Evidence evidence,
                            const std::string& source) {
  Checkpoint c;
  Weights named = official_names(std::move(weights));
  Recognised found;
  if (!description.empty()) {
    read_meta(description, source, c);
    found = {c.config, c.config_source, c.class_count, {}};
  } else {
    found = recognised(named, evidence, source);
    c.config = found.config;
    c.config_source = found.config_source;
    c.class_count = found.class_count;
  }
  c.facts.format = CheckpointFacts::Format::tensors;
  c.facts.notes = found.notes;
  c.model = arranged(std::move(named), found, source, c.facts.notes);
  return c;
}

Checkpoint read_official(const TorchContainer& container, const std::string& source) {
  const PickleValue& top = *container.pickle().top;
  const PickleValue *ema = top.find("ema"),
                    *model = top.kind == Kind::module ? &top : top.find("model"),
                    *state = top.find("state_dict");
  Checkpoint c;
  if (is_module(ema) || is_module(model)) {
    c = read_models(container, ema, model, source);
  } else {
    const PickleValue* tensors = is_tensors(ema)     ? ema
                                 : is_tensors(model) ? model
                                 : is_tensors(state) ? state
                                 : is_tensors(&top)  ? &top
                                                     : nullptr;
    if (tensors == nullptr)
      throw Error(
          fmt::format("{}: expected a checkpoint: a model, or tensors under names; found {}",
                      source, keys_of(top)));
    TensorReader reader(container, source);
    const std::string description = container.side_text(description_entry);
    c = describe_tensors(read_tensors(reader, *tensors), description, evidence_of(top, source),
                         source);
    if (description.empty()) name_classes(c, class_names(top.find("names")));
  }
  c.facts.container = container.kind();
  if (top.kind == Kind::dictionary) read_facts(top, c.facts);
  return c;
}

}  // namespace yolov7::network
