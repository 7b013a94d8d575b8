#include "dataset/paste/paste_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/set_marks.hpp"
#include "dataset/paste/paste_scene.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;

constexpr int generator_version = 1;
/// Never change it: the same seed would draw other images.
constexpr std::uint32_t draw_stream = 4;

struct Drawn {
  fs::path file;
  cv::Size size;
  std::vector<SeenObject> objects;
  std::vector<ObjectSource> pasted;  ///< by number of the paste
  std::vector<CutBy> by;
  std::vector<ObjectSource> not_cut, no_place;
};

class Pasting {
 public:
  Pasting(const PasteOptions& options, const GatheredSet& set)
      : o_(options), set_(set), sources_(find_sources(set)) {
    plan_ = plan_pastes(set, sources_, o_.plan);
    if (plan_.images.empty())
      throw Error(fmt::format(
          "dataset synth: nothing to paste: no class with objects that can be cut out has fewer "
          "than {} in the {} training images, or the share of drawn images, {}, leaves room for "
          "none",
          plan_.target, train_images(), text::general(o_.plan.share)));
  }

  PasteReport run() {
    build_folder(o_.out, [&](const fs::path& folder) {
      const fs::path drawing = folder / ".drawn";
      file::make_folder(drawing);
      cut_all();
      draw_all(drawing);
      write(folder);
      fs::remove_all(drawing);
      nlohmann::json account = report_.account();
      account["options"] = options_json();
      file::write_atomically(folder / "paste.json", json_text(account, 1) + "\n",
                             file::Sync::later);
    });
    return report_;
  }

 private:
  using Key = std::pair<std::size_t, std::size_t>;
  static Key key(const ObjectSource& one) { return {one.image, one.label}; }
  const Label& label_of(const ObjectSource& one) const {
    return set_.images[one.image].entry.labels[one.label];
  }
  std::size_t train_images() const {
    return static_cast<std::size_t>(
        std::count_if(set_.images.begin(), set_.images.end(),
                      [](const GatheredImage& one) { return one.split == "train"; }));
  }

  /// Each object once, image by image, however often it is pasted.
  void cut_all() {
    std::map<std::size_t, std::vector<ObjectSource>> by_image;
    for (const DrawnImage& image : plan_.images)
      for (const ObjectSource& one : image.objects)
        if (cutouts_.emplace(key(one), std::nullopt).second) by_image[one.image].push_back(one);
    std::vector<std::vector<ObjectSource>> work;
    for (auto& [image, objects] : by_image) work.push_back(std::move(objects));
    Progress progress("cutting objects out", work.size(), "images");
    parallel_for(work.size(), threads_or_all(o_.threads), [&](std::size_t i) {
      check_stop(o_.stop);
      const cv::Mat image = read_picture(set_.images[work[i].front().image].entry.picture);
      for (const ObjectSource& one : work[i]) {
        Cutout cutout;
        if (cut_out(image, label_of(one), o_.cut, cutout)) cutouts_.at(key(one)) = cutout;
      }
      progress.advance();
    });
    progress.finish();
  }

  void draw_all(const fs::path& folder) {
    drawn_.resize(plan_.images.size());
    Progress progress("drawing", drawn_.size(), "images");
    parallel_for(drawn_.size(), threads_or_all(o_.threads), [&](std::size_t i) {
      check_stop(o_.stop);
      draw(i, folder);
      progress.advance();
    });
    progress.finish();
  }

  void draw(std::size_t number, const fs::path& folder) {
    const DrawnImage& plan = plan_.images[number];
    const GatheredImage& background = set_.images[plan.background];
    Drawn& drawn = drawn_[number];
    Random random(o_.plan.seed, static_cast<std::uint32_t>(number), 0, draw_stream);
    PasteScene scene(read_picture(background.entry.picture), background.entry.labels);
    const double sharp = sharpness(scene.image());
    for (const ObjectSource& one : plan.objects) {
      const auto& cutout = cutouts_.at(key(one));
      if (!cutout)
        drawn.not_cut.push_back(one);
      else if (!place(*cutout, sharp, scene, random))
        drawn.no_place.push_back(one);
      else
        drawn.pasted.push_back(one), drawn.by.push_back(cutout->by);
    }
    if (drawn.pasted.empty()) return;
    drawn.size = scene.image().size();
    drawn.objects = scene.objects();
    constexpr int quality = 95;
    const std::string extension = text::lower(background.entry.picture.extension().string());
    const bool jpeg = extension == ".jpg" || extension == ".jpeg";
    const std::string name =
        fmt::format("{}_pasted{}", background.entry.picture.stem().string(), number + 1);
    drawn.file = folder / (name + (jpeg ? ".jpg" : ".png"));
    file::write_atomically(drawn.file,
                           jpeg ? encode_jpeg(scene.image(), quality) : encode_png(scene.image()),
                           file::Sync::later);
  }

  bool place(const Cutout& cutout, double sharp, PasteScene& scene, Random& random) const {
    constexpr int tries = 40;
    PasteLook look;
    look.match_light = o_.match_light;
    look.scale = drawn_scale(cutout, scene.image().size(), random);
    look.feather = random.uniform(0.5, 1.5);
    if (cutout.by == CutBy::whole_box)  // background comes along, which must not end in a line
      look.feather = std::max(
          look.feather, 0.08 * look.scale * std::min(cutout.box.width(), cutout.box.height()));
    look.blur = matching_blur(cutout, look.scale, sharp);
    const bool may_cover = random.chance(o_.occlusion);
    for (int i = 0; i < 2 * tries; ++i) {
      const double x = random.uniform(-1, 1), y = random.uniform(-1, 1);
      const auto at = [](double share, int room) {
        return static_cast<int>(std::lround((share + 1) / 2 * room));
      };
      // The margin of the cutout may lie outside of the image, its box may not.
      const int margin_x = static_cast<int>(cutout.box.x1 * look.scale),
                margin_y = static_cast<int>(cutout.box.y1 * look.scale);
      const int width = static_cast<int>(cutout.box.width() * look.scale) + 1,
                height = static_cast<int>(cutout.box.height() * look.scale) + 1;
      const cv::Point corner(at(x, scene.image().cols - width) - margin_x,
                             at(y, scene.image().rows - height) - margin_y);
      if (!scene.fits(cutout, look, corner)) continue;
      const double visible = scene.least_visible_after(cutout, look, corner);
      // In a crowded image there may be no free place: after so many tries it may cover, too.
      if (visible < (may_cover || i >= tries ? o_.least_visible : 1)) continue;
      scene.paste(cutout, look, corner);
      return true;
    }
    return false;
  }

  void begin_report() {
    report_.target = plan_.target;
    report_.train_before = train_images();
    for (std::size_t c = 0; c < set_.names.size(); ++c) {
      PasteClass& one = report_.classes.emplace_back();
      one.name = set_.names[c];
      one.before = one.after = plan_.before[c];
      one.wanted = plan_.wanted[c], one.planned = plan_.planned[c];
      one.sources = sources_[c].sources.size();
      one.left_out = sources_[c];
      one.left_out.sources.clear();
    }
  }

  PasteClass& class_of(const ObjectSource& one) {
    return report_.classes[static_cast<std::size_t>(label_of(one).class_index)];
  }

  /// Whether the object keeps a label.
  bool count(const SeenObject& object) {
    PasteClass& one = report_.classes[static_cast<std::size_t>(object.label.class_index)];
    if (object.pasted == 0) ++one.copied;
    if (object.visible < 1) ++one.covered;
    if (object.box_only) ++report_.box_only;
    // Only what a later paste of the same image covers may get here: placing looks at all before.
    if (object.visible < std::min(o_.least_visible, 1.0) - 1e-9) {
      ++one.dropped;
      return false;
    }
    ++one.after;
    return true;
  }

  AnnotatedObject annotated(const Label& label, int width, int height) const {
    AnnotatedObject object;
    object.class_index = label.class_index;
    object.box = clip(to_pixels(label.box, width, height), width, height);
    Ring ring;
    for (const cv::Point2d& p : label.polygon)
      ring.push_back({std::clamp(p.x * width, 0.0, static_cast<double>(width)),
                      std::clamp(p.y * height, 0.0, static_cast<double>(height))});
    if (!ring.empty()) {
      object.rings = {ring};
      object.box = box_around(object.rings);
    }
    return object;
  }

  void add_original(const GatheredImage& image, AnnotatedSet& set) const {
    AnnotatedImage one;
    one.written = image.entry.picture.string();
    one.file = image.entry.picture;
    one.width = image.entry.width, one.height = image.entry.height;
    one.split = image.split;
    for (const Label& label : image.entry.labels)
      one.objects.push_back(annotated(label, one.width, one.height));
    if (one.objects.empty())
      one.state =
          image.entry.has_label_file ? ImageState::empty_on_purpose : ImageState::not_annotated;
    set.images.push_back(std::move(one));
  }

  void add_drawn(const Drawn& drawn, AnnotatedSet& set) {
    for (const ObjectSource& one : drawn.not_cut) ++class_of(one).not_cut;
    for (const ObjectSource& one : drawn.no_place) ++class_of(one).no_place;
    if (drawn.pasted.empty()) {
      ++report_.unused;
      return;
    }
    ++report_.drawn;
    AnnotatedImage one;
    one.written = drawn.file.string();
    one.file = drawn.file;
    one.width = drawn.size.width, one.height = drawn.size.height;
    one.split = "train";
    one.tags = {{origin_attribute, std::string(drawn_origin)}};
    for (const SeenObject& seen : drawn.objects) {
      if (seen.pasted > 0) {
        PasteClass& its = report_.classes[static_cast<std::size_t>(seen.label.class_index)];
        ++its.pasted;
        const CutBy by = drawn.by[seen.pasted - 1];
        ++(by == CutBy::polygon   ? its.by_polygon
           : by == CutBy::grabcut ? its.by_grabcut
                                  : its.by_box);
      }
      if (!count(seen)) continue;
      AnnotatedObject object = annotated(seen.label, one.width, one.height);
      object.occluded = seen.visible < 1;
      if (seen.pasted > 0) {
        const GatheredImage& from = set_.images[drawn.pasted[seen.pasted - 1].image];
        object.attributes = {{origin_attribute, std::string("pasted")},
                             {"pasted_from", from.entry.picture.filename().string()}};
      }
      one.objects.push_back(std::move(object));
    }
    set.images.push_back(std::move(one));
  }

  void require_balance() const {
    for (const PasteClass& one : report_.classes) {
      const bool planned = one.planned == one.pasted + one.not_cut + one.no_place;
      if (!planned || one.after != one.before + one.pasted + one.copied - one.dropped)
        throw Error(
            fmt::format("dataset synth: the counts of class '{}' do not add up, a defect of "
                        "this program",
                        text::printable(one.name)));
    }
  }

  void write(const fs::path& folder) {
    begin_report();
    AnnotatedSet set;
    for (const std::string& name : set_.names) set.classes.push_back({name, {}, {}, {}});
    for (const GatheredImage& image : set_.images) add_original(image, set);
    for (const Drawn& one : drawn_) add_drawn(one, set);
    require_balance();
    if (report_.drawn == 0)
      throw Error("dataset synth: no object could be cut out and placed; nothing is written");
    const Format& to = format_named(o_.to, "to");
    const WriteOptions options{.hard_link = o_.hard_link};
    Conversion& account = report_.source;
    account = set_.account;
    account.names = set_.names;
    account.to = to.name;
    account.out = o_.out;
    for (const Loss& loss : losses(set, to))
      if (loss.where == Keep::no) account.losses.push_back({loss.what, loss.count, ""});
    to.write({set, folder, options, account, o_.stop});
  }

  nlohmann::json options_json() const {
    return {{"seed", o_.plan.seed},
            {"balance", o_.plan.balance},
            {"share", o_.plan.share},
            {"per_image", o_.plan.per_image},
            {"cut", o_.cut},
            {"least_visible", o_.least_visible},
            {"occlusion", o_.occlusion},
            {"match_light", o_.match_light},
            {"to", o_.to}};
  }

  const PasteOptions& o_;
  const GatheredSet& set_;
  std::vector<ClassSources> sources_;
  PastePlan plan_;
  std::map<Key, std::optional<Cutout>> cutouts_;
  std::vector<Drawn> drawn_;
  PasteReport report_;
};

}  // namespace

nlohmann::json PasteReport::account() const {
  nlohmann::json all = nlohmann::json::array();
  for (const PasteClass& one : classes)
    all.push_back(
        {{"name", one.name},
         {"before", one.before},
         {"wanted", one.wanted},
         {"planned", one.planned},
         {"pasted", one.pasted},
         {"not_cut", one.not_cut},
         {"no_place", one.no_place},
         {"copied_with_backgrounds", one.copied},
         {"partly_covered", one.covered},
         {"dropped_covered", one.dropped},
         {"after", one.after},
         {"sources", one.sources},
         {"sources_second_choice", one.left_out.second_choice},
         {"left_out",
          {{"too_small", one.left_out.too_small},
           {"at_border", one.left_out.at_border},
           {"overlapped", one.left_out.overlapped}}},
         {"cut_by",
          {{"polygon", one.by_polygon}, {"grabcut", one.by_grabcut}, {"box", one.by_box}}}});
  const nlohmann::json all_of_source = to_json(source);
  nlohmann::json left_out = nlohmann::json::object();
  for (const char* key : {"dropped", "not_boxes", "losses", "notes"})
    left_out[key] = all_of_source[key];
  return {{"generator_version", generator_version},
          {"target", target},
          {"source", std::move(left_out)},
          {"images", {{"train_before", train_before}, {"drawn", drawn}, {"unused", unused}}},
          {"polygons_that_became_boxes", box_only},
          {"classes", std::move(all)}};
}

PasteReport paste_set(const PasteOptions& options) {
  require_empty(options.out);
  GatherOptions gathering;
  gathering.out = options.out;
  gathering.threads = options.threads;
  gathering.stop = options.stop;
  const GatheredSet set = gather_set(options.data, gathering);
  return Pasting(options, set).run();
}

}  // namespace yolov7::dataset
