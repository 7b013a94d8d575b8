#pragma once
// A verb is one file: an options struct with its settings table, and run(). The visible list is in
// verbs.cpp.
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/settings.hpp"

namespace yolov7::cli {

/// Where a verb's result goes: text lines for people on stdout, or (with --json) one JSON object at
/// the end.
class Output {
 public:
  bool json = false;
  ExitCode code =
      ExitCode::done;  ///< a verb that finished with losses (unreadable pictures, say) sets failure
  /// Not empty: --help hands the verb's table to it and prints nothing (each_table()).
  std::function<void(const Settings&)> take_table = {};
  void line(std::string_view text) const;  ///< escaped, to stdout; nothing with --json
};

struct Verb {
  std::string_view name;
  std::string_view summary;  ///< one line for `yolov7 --help`
  nlohmann::json (*run)(const std::vector<std::string>& arguments, Output& output);
  std::vector<std::string_view> aliases = {};
  const std::vector<Verb>& (*parts)() = nullptr;  ///< of a verb of two words: the second ones
};

const std::vector<Verb>& verbs();
const std::vector<Verb>& dataset_parts();  ///< dataset convert, …
const std::vector<Verb>& version_parts();  ///< dataset version create, …
const std::vector<Verb>& active_parts();   ///< active select, …
/// Runs the part that the first argument names, with the other arguments; --help lists the parts.
/// `title`: the words before it. Error (usage): no such part.
nlohmann::json run_part(const std::string& title, const std::vector<Verb>& parts,
                        const std::vector<std::string>& arguments, Output& output);

/// Command line → settings. Official names, unambiguous prefixes, '-' and '_' alike, --name value
/// and --name=value, lists until the next option. Every verb also takes --json, --quiet, --verbose
/// and --help [all|markdown] (help.hpp). Returns false if that was asked for (and printed). Errors
/// (usage): unknown option with the nearest name, missing or superfluous value, out of range, an
/// option that does not work yet.
bool parse_arguments(const Settings& settings, const std::vector<std::string>& arguments,
                     Output& output);
/// Names of the settings that these arguments set, in their order, common ones included; a repeated
/// switch stands twice. Errors as parse_arguments().
std::vector<std::string> given_names(const Settings& settings,
                                     const std::vector<std::string>& arguments);
/// The command line that sets these settings of the table to the values that they have now.
std::vector<std::string> command_line(const Settings& settings,
                                      const std::vector<std::string>& names);
/// What sets the entry `key` of a settings table on the command line: "--batch-size".
std::string flag(std::string_view key);

/// <project>/<name>, incremented to exp2, exp3 … unless `exist_ok` (evaluation 3.8); made, and
/// returned.
std::string make_run_folder(const std::string& project, const std::string& name, bool exist_ok);

// One per verb file.
nlohmann::json run_demo(const std::vector<std::string>&, Output&);
nlohmann::json run_doctor(const std::vector<std::string>&, Output&);
nlohmann::json run_completion(const std::vector<std::string>&, Output&);
nlohmann::json run_man(const std::vector<std::string>&, Output&);
nlohmann::json run_train(const std::vector<std::string>&, Output&);
nlohmann::json run_evolve(const std::vector<std::string>&, Output&);
nlohmann::json run_mlflow(const std::vector<std::string>&, Output&);
nlohmann::json run_compress(const std::vector<std::string>&, Output&);
nlohmann::json run_quantize(const std::vector<std::string>&, Output&);
nlohmann::json run_val(const std::vector<std::string>&, Output&);
nlohmann::json run_detect(const std::vector<std::string>&, Output&);
nlohmann::json run_convert(const std::vector<std::string>&, Output&);
nlohmann::json run_export(const std::vector<std::string>&, Output&);
nlohmann::json run_active(const std::vector<std::string>&, Output&);  ///< its parts
nlohmann::json run_active_select(const std::vector<std::string>&, Output&);
nlohmann::json run_active_push(const std::vector<std::string>&, Output&);
nlohmann::json run_active_pull(const std::vector<std::string>&, Output&);
nlohmann::json run_active_merge(const std::vector<std::string>&, Output&);
nlohmann::json run_active_status(const std::vector<std::string>&, Output&);
nlohmann::json run_active_loop(const std::vector<std::string>&, Output&);
nlohmann::json run_active_simulate(const std::vector<std::string>&, Output&);
nlohmann::json run_annotate(const std::vector<std::string>&, Output&);
nlohmann::json run_anchors(const std::vector<std::string>&, Output&);
nlohmann::json run_prune(const std::vector<std::string>&, Output&);
nlohmann::json run_reparam(const std::vector<std::string>&, Output&);
nlohmann::json run_verify(const std::vector<std::string>&, Output&);
nlohmann::json run_scale(const std::vector<std::string>&, Output&);
nlohmann::json run_info(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset(const std::vector<std::string>&,
                           Output&);  ///< dataset convert | check | augment | synth
nlohmann::json run_benchmark(const std::vector<std::string>&, Output&);
nlohmann::json run_compare(const std::vector<std::string>&, Output&);
nlohmann::json run_metrics(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_convert(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_synth(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_augment(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_check(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_split(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_merge(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_rename(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_subset(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_stats(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_browse(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_version(const std::vector<std::string>&,
                                   Output&);  ///< dataset version create | list | …
nlohmann::json run_version_create(const std::vector<std::string>&, Output&);
nlohmann::json run_version_list(const std::vector<std::string>&, Output&);
nlohmann::json run_version_show(const std::vector<std::string>&, Output&);
nlohmann::json run_version_diff(const std::vector<std::string>&, Output&);
nlohmann::json run_version_checkout(const std::vector<std::string>&, Output&);
nlohmann::json run_version_verify(const std::vector<std::string>&, Output&);
nlohmann::json run_version_gc(const std::vector<std::string>&, Output&);
nlohmann::json run_version_bundle(const std::vector<std::string>&, Output&);
nlohmann::json run_version_which(const std::vector<std::string>&, Output&);
nlohmann::json run_version_merge(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_download(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_upload(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_versions(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_generate(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_health(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_push(const std::vector<std::string>&, Output&);
nlohmann::json run_dataset_pull(const std::vector<std::string>&, Output&);

}  // namespace yolov7::cli
