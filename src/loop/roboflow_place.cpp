#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"
#include "loop/place.hpp"
#include "loop/server_files.hpp"
#include "platforms/credentials.hpp"
#include "platforms/place.hpp"
#include "platforms/roboflow.hpp"
#include "platforms/roboflow_upload.hpp"

namespace yolov7::loop {
namespace {

constexpr std::size_t mark_length = 12;

/// The service writes images anew under longer names: "<12 digits>_name_jpg.rf.<its own>.jpg".
std::string key_by_mark(const dataset::AnnotatedImage& image) {
  const std::string name = image.file.filename().string();
  const bool marked = name.size() > mark_length && name[mark_length] == '_' &&
                      name.find_first_not_of("0123456789abcdef") == mark_length;
  return marked ? name.substr(0, mark_length) : "";
}

class RoboflowPlace : public Place {
 public:
  explicit RoboflowPlace(const PlaceOptions& options)
      : options_(options), place_(platforms::parse_place(options.to, {"roboflow"}, 2, 2)) {
    if (options_.roboflow_address.empty()) options_.roboflow_address = platforms::roboflow_address;
  }

  Pushed push(const PlaceRound& round) override {
    platforms::Roboflow service = connect();
    service.workspace(place_.part(0));
    service.project(place_.part(0), place_.part(1));
    platforms::Journal journal = journal_of(round, "roboflow " + options_.roboflow_address + " " +
                                                       place_.part(0) + "/" + place_.part(1));
    platforms::RoboflowUploadOptions sending;
    sending.batch = fmt::format("round-{:03}", round.number);
    sending.tags = {"active-learning"};
    sending.predictions = true;
    const auto sent = platforms::upload_set(
        service, place_.part(1), annotated_set(round.set, round.tasks), sending, journal);
    if (!sent.failed.empty())
      throw Error(fmt::format("{}: {} of {} images were refused, such as {}: {}", place_.text,
                              sent.failed.size(), round.set.tasks.size(), sent.failed.front().first,
                              sent.failed.front().second));
    Pushed pushed;
    pushed.made = sent.images, pushed.known = sent.images_known + sent.duplicates;
    for (const Task& task : round.set.tasks) pushed.suggestions += task.suggestions.size();
    pushed.where = place_.text;
    pushed.how = fmt::format(
        "annotate batch '{}' of {}, add it to the data set, make a version without augmentation, "
        "and name its number: --roboflow-version N",
        sending.batch, place_.text);
    return pushed;
  }

  Answers pull(const PlaceRound& round) override {
    Answers answers = no_answers(round.set);
    if (options_.roboflow_version.empty()) {
      answers.notes.emplace_back(
          "Roboflow hands out versions alone: make one and name its number (--roboflow-version)");
      return answers;
    }
    platforms::Roboflow service = connect();
    require_plain(
        service.finished_version(place_.part(0), place_.part(1), options_.roboflow_version));
    const auto folder = fresh_folder(round, "pulled");
    platforms::download_version(
        service, {place_.part(0), place_.part(1), options_.roboflow_version}, "yolov7", folder, {});
    take_folder(folder, round, key_by_mark, options_.stop, answers);
    return answers;
  }

 private:
  platforms::Roboflow connect() const {
    platforms::RoboflowOptions options;
    options.address = options_.roboflow_address;
    options.tries.most = options_.tries;
    options.patience = std::chrono::seconds(options_.patience);
    return platforms::Roboflow(
        options, platforms::find_credential("roboflow", "", {"ROBOFLOW_API_KEY"}), options_.stop);
  }

  /// Boxes come back as shares of the image, so nothing may be cut off, put around it or turned.
  void require_plain(const nlohmann::json& version) const {
    for (const char* part : {"preprocessing", "augmentation"})
      if (const nlohmann::json* steps = dataset::member(version, part);
          steps != nullptr && steps->is_object())
        for (const auto& [name, how] : steps->items())
          if (!is_plain(part, name, how))
            throw Error(
                fmt::format("{}/{}: expected a version without augmentation and without other "
                            "steps than auto-orient and resize by stretching, found '{}' ({})",
                            place_.text, options_.roboflow_version, text::printable(name), part));
  }

  static bool is_plain(const std::string& part, const std::string& name,
                       const nlohmann::json& how) {
    if (how.is_boolean() && !how.get<bool>()) return true;  // switched off
    if (part == "augmentation") return false;
    return name == "auto-orient" ||
           (name == "resize" && dataset::text_at(how, "format").starts_with("Stretch"));
  }

  PlaceOptions options_;
  platforms::Place place_;
};

}  // namespace

std::unique_ptr<Place> roboflow_place(const PlaceOptions& options) {
  return std::make_unique<RoboflowPlace>(options);
}

}  // namespace yolov7::loop
