#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "dataset/formats/cvat_drawn.hpp"
#include "loop/place.hpp"
#include "loop/server_files.hpp"
#include "loop/state.hpp"
#include "platforms/cvat.hpp"
#include "platforms/place.hpp"

namespace yolov7::loop {
namespace {

/// A task of its own for each round.
class CvatPlace : public Place {
 public:
  explicit CvatPlace(const PlaceOptions& options)
      : options_(options), place_(platforms::parse_place(options.to, {"cvat"}, 1, 1)) {}

  Pushed push(const PlaceRound& round) override {
    platforms::Cvat server = connect();
    platforms::Journal journal =
        journal_of(round, place_.service + " " + place_.server.text() + " " + place_.part(0));
    const std::string name = name_of(round);
    platforms::CvatProgress progress;
    progress.resumed = true;
    if (const auto number = text::parse_int(journal.get(name, "task"))) progress.task = *number;
    progress.images = !journal.get(name, "images").empty();
    progress.annotations = !journal.get(name, "annotations").empty();
    const bool known = progress.annotations;
    progress.changed = [&](const platforms::CvatProgress& now) {
      journal.set(name, "task", std::to_string(now.task));
      if (now.images) journal.set(name, "images", "sent");
      if (now.annotations) journal.set(name, "annotations", "sent");
      passing();
    };
    dataset::AnnotatedSet set = annotated_set(round.set, round.tasks);
    // CVAT has no predictions beside annotations; "auto" marks who drew them.
    for (auto& image : set.images)
      for (auto& object : image.objects) object.source = "auto", object.score.reset();
    const auto sent = platforms::push_set(server, name, set, progress);
    Pushed pushed;
    (known ? pushed.known : pushed.made) = sent.images;
    pushed.suggestions = sent.objects;
    pushed.where = fmt::format("{} (task {})", place_.text, sent.task);
    pushed.how = fmt::format("correct task {} ({}) at {} and set its jobs to completed", sent.task,
                             text::printable(name), place_.server.text());
    if (sent.images != round.set.tasks.size())
      throw Error(fmt::format("CVAT: expected {} images in task {}, found {}",
                              round.set.tasks.size(), sent.task, sent.images));
    return pushed;
  }

  Answers pull(const PlaceRound& round) override {
    platforms::Cvat server = connect();
    const platforms::Journal journal =
        journal_of(round, place_.service + " " + place_.server.text() + " " + place_.part(0));
    const std::string name = name_of(round), known = journal.get(name, "task");
    const std::string task = known.empty() ? name : known;
    const auto facts = server.facts_of(server.find_task(task));
    Answers answers = no_answers(round.set);
    if (facts.jobs == 0 || facts.jobs_completed < facts.jobs) {
      answers.notes.push_back(
          fmt::format("{} of {} jobs are completed", facts.jobs_completed, facts.jobs));
      return answers;
    }
    platforms::CvatPullOptions pulling;
    pulling.out = fresh_folder(round, "pulled");
    pulling.images = round.tasks / "images";
    pulling.annotations = round.folder / "pulled.xml";
    add_drops(platforms::pull_task(server, task, pulling), answers);
    take_folder(pulling.out, round, key_by_content, options_.stop, answers);
    // A completed job has looked at every image. But what was left out is not an empty image.
    if (answers.notes.empty())
      for (auto& [key, answer] : answers.by_key)
        if (answer.state == AnswerState::open) answer.state = AnswerState::empty;
    hold_unread(pulling.annotations, round.set, answers);
    return answers;
  }

 private:
  platforms::Cvat connect() const {
    platforms::CvatOptions options;
    options.tries.most = options_.tries;
    options.patience = std::chrono::seconds(options_.patience);
    return platforms::Cvat(place_.server, platforms::cvat_credential(place_.server), options,
                           options_.stop);
  }

  /// Holds what people drew against what was read.
  static void hold_unread(const std::filesystem::path& xml, const TaskSet& tasks,
                          Answers& answers) {
    const auto drawn = dataset::cvat_drawn(file::read(xml), xml.string());
    for (const Task& task : tasks.tasks) {
      const auto shapes = drawn.find(task.file);
      const std::size_t read = answers.by_key.at(task.key).objects.size();
      if (shapes != drawn.end() && shapes->second > read)
        hold_open(task, {fmt::format("{} of {} shapes", shapes->second - read, shapes->second)},
                  answers);
    }
  }

  std::string name_of(const PlaceRound& round) const {
    return fmt::format("{}-round-{:03}", place_.part(0), round.number);
  }

  PlaceOptions options_;
  platforms::Place place_;
};

}  // namespace

std::unique_ptr<Place> cvat_place(const PlaceOptions& options) {
  return std::make_unique<CvatPlace>(options);
}

}  // namespace yolov7::loop
