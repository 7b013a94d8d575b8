#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "loop/place.hpp"
#include "loop/server_files.hpp"
#include "platforms/credentials.hpp"
#include "platforms/label_studio_pull.hpp"
#include "platforms/label_studio_push.hpp"
#include "platforms/place.hpp"

namespace yolov7::loop {
namespace fs = std::filesystem;
namespace {

/// One project for all rounds.
class LabelStudioPlace : public Place {
 public:
  explicit LabelStudioPlace(const PlaceOptions& options)
      : options_(options), place_(platforms::parse_place(options.to, {"label-studio"}, 1, 1)) {}

  Pushed push(const PlaceRound& round) override {
    platforms::LabelStudio server = connect();
    platforms::PushOptions sending;
    sending.predictions = true;
    sending.model = round.set.model;
    platforms::Journal journal =
        journal_of(round, place_.service + " " + place_.server.text() + " " + place_.part(0));
    const auto sent = platforms::push_set(server, place_.part(0),
                                          annotated_set(round.set, round.tasks), sending, journal);
    Pushed pushed{sent.tasks, sent.tasks_known, 0, place_.text, "", {}};
    pushed.how = fmt::format("annotate the tasks of project {} ({}) at {}", sent.project.id,
                             text::printable(sent.project.title), place_.server.text());
    for (const Task& task : round.set.tasks) pushed.suggestions += task.suggestions.size();
    for (const std::string& one : sent.doubles)
      pushed.notes.push_back(one + ": the project has more than one task of it");
    return pushed;
  }

  Answers pull(const PlaceRound& round) override {
    platforms::LabelStudio server = connect();
    const auto project = server.find_project(place_.part(0));
    if (!project)
      throw Error(fmt::format("{}: expected the project of the loop, found none", place_.text));
    const auto states = platforms::task_states(server, *project);
    Answers answers = no_answers(round.set);
    bool any = false;
    for (const Task& task : round.set.tasks) {
      const auto state = states.find(task.key);
      if (state == states.end())
        throw Error(fmt::format("{}: expected a task for {}, found none", place_.text, task.file));
      if (state->second == platforms::TaskState::skipped)
        answers.by_key.at(task.key).state = AnswerState::skipped;
      any = any || state->second == platforms::TaskState::annotated;
    }
    if (any) take(server, round, answers);
    answers.strangers += states.size() - round.set.tasks.size();
    return answers;
  }

 private:
  platforms::LabelStudio connect() const {
    http::Tries tries;
    tries.most = options_.tries;
    return platforms::LabelStudio(place_.server,
                                  platforms::find_credential("label-studio", place_.server.origin(),
                                                             {"LABEL_STUDIO_API_KEY"}),
                                  tries, options_.stop);
  }

  void take(platforms::LabelStudio& server, const PlaceRound& round, Answers& answers) const {
    platforms::PullOptions pulling;
    pulling.out = fresh_folder(round, "pulled");
    pulling.images = round.tasks / "images";
    pulling.merge = true;
    for (const Task& task : round.set.tasks) pulling.only.insert(task.key);
    const auto got = platforms::pull_project(server, place_.part(0), pulling);
    if (got.left_out_by_merge > 0)
      answers.notes.push_back(fmt::format(
          "{} boxes that no majority of several people drew are left out", got.left_out_by_merge));
    add_drops(got.conversion, answers);
    take_folder(pulling.out, round, key_by_content, options_.stop, answers);
    for (const Task& task : round.set.tasks)
      if (const auto lost = got.left_out.find(task.key); lost != got.left_out.end())
        hold_open(task, lost->second, answers);
    answers.people = got.annotations_by;
  }

  PlaceOptions options_;
  platforms::Place place_;
};

}  // namespace

std::unique_ptr<Place> label_studio_place(const PlaceOptions& options) {
  return std::make_unique<LabelStudioPlace>(options);
}

}  // namespace yolov7::loop
