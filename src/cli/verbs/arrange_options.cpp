#include "cli/verbs/arrange_options.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::cli {

std::vector<Setting> output_settings(OutputChoice& choice, bool with_lists) {
  std::vector<Setting> settings = {
      setting("out", choice.out, "folder to write: new or empty").basic()};
  if (with_lists)
    settings.push_back(setting("copy", choice.copy,
                               "copy images and labels to the new folder; without, lists name them "
                               "where they are, unless the source has no label files")
                           .basic());
  settings.push_back(setting("link", choice.link,
                             "hard links to the images instead of copies, where the file system "
                             "can; labels are files of their own")
                         .basic());
  return group("Output", std::move(settings));
}

dataset::Placement placement_of(const OutputChoice& choice, bool with_lists,
                                const std::string& verb) {
  if (choice.out.empty())
    throw usage_error(fmt::format("{}: expected --out with the folder to write, found none", verb));
  if (choice.copy && choice.link)
    throw usage_error(fmt::format("{}: expected --copy or --link, found both", verb));
  if (choice.link) return dataset::Placement::link;
  return choice.copy || !with_lists ? dataset::Placement::copy : dataset::Placement::list;
}

std::vector<std::string> name_list(const std::vector<std::string>& texts,
                                   const std::string& option) {
  std::vector<std::string> names;
  for (const std::string& text : texts)
    for (const std::string_view part : text::split(text, ',')) {
      const std::string_view name = text::trim(part);
      if (name.empty())
        throw usage_error(
            fmt::format("{}: expected class names separated by commas, found '{}'", option, text));
      names.emplace_back(name);
    }
  return names;
}

}  // namespace yolov7::cli
