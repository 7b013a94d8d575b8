#pragma once
// What people gave back for the tasks of a round.
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "loop/tasks.hpp"
#include "platforms/edits.hpp"

namespace yolov7::loop {

enum class AnswerState {
  open,     ///< nobody has answered
  boxes,    ///< there are objects
  empty,    ///< somebody looked, and there is no object
  skipped,  ///< somebody refused: nothing is known about the image
};

struct Answer {
  AnswerState state = AnswerState::open;
  std::vector<dataset::AnnotatedObject> objects;  ///< pixels of the task's image
  bool answered() const { return state != AnswerState::open; }
  bool labelled() const { return state == AnswerState::boxes || state == AnswerState::empty; }
};

struct Answers {
  std::vector<std::string> classes;
  std::map<std::string, Answer> by_key;       ///< every task of the round has one
  std::size_t strangers = 0;                  ///< what the place has besides, and is left alone
  std::map<std::string, std::size_t> people;  ///< who annotated how many tasks, as far as known
  std::vector<std::string> notes;             ///< what was left out or decided, one line each
  std::size_t count(AnswerState state) const;
  std::size_t answered() const;
  std::size_t boxes() const;
};

/// All of them open.
Answers no_answers(const TaskSet& tasks);

/// The key of the task that an image of a place belongs to; "" = of none.
using KeyOf = std::string (*)(const dataset::AnnotatedImage& image);
/// The tasks of a set by their keys; the set stays where it is.
class TaskFinder {
 public:
  explicit TaskFinder(const TaskSet& tasks);
  /// The task whose key begins with `key`; of several the first by its key. null: none, or "".
  const Task* find(const std::string& key) const;

 private:
  std::map<std::string_view, const Task*> by_key_;
};
/// By the content of the image.
std::string key_by_content(const dataset::AnnotatedImage& image);
/// Takes what the set has of the tasks; `set` is prepared. Boxes are scaled where the place has
/// another size of the image. A key counts that is the beginning of the task's. Scores go: people
/// have looked. Errors: two images of one task; an object without a class.
void take_answers(const dataset::AnnotatedSet& set, const TaskSet& tasks, KeyOf key_of,
                  Answers& answers);

/// Takes no answer for an image in which something was left out (`lost`, in words): the task is
/// open again, and a note names the image.
void hold_open(const Task& task, const std::vector<std::string>& lost, Answers& answers);

/// What people made of the suggestions, by the name of the class (of the suggestion, and of the box
/// that was added). Boxes belong together by falling IoU from 0.5 on. One whose sides moved by half
/// a pixel at most is kept: servers round. Only labelled answers count.
std::map<std::string, platforms::Edits> count_edits(const TaskSet& tasks, const Answers& answers);
platforms::Edits total(const std::map<std::string, platforms::Edits>& by_class);

/// What people are paid for, in seconds or money. A changed box costs as much as a drawn one unless
/// told otherwise: no saving is claimed that was not measured.
struct EditCosts {
  double image = 2, box = 7;
  double change = 7;  ///< moving a box or giving it another class
  double removal = 1;
};
/// Every box of the result drawn by hand.
double cost_by_hand(std::size_t images, const platforms::Edits& edits, const EditCosts& costs);
/// With the suggestions.
double cost_corrected(std::size_t images, const platforms::Edits& edits, const EditCosts& costs);

}  // namespace yolov7::loop
