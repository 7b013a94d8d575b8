#include "monitoring/browse_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "image/drawing/draw.hpp"
#include "monitoring/html_page.hpp"

namespace yolov7::monitoring {
namespace {

constexpr std::string_view style =
    "<style>body{max-width:none}#filters{position:sticky;top:0;background:#fff;padding:.5rem "
    "0;border-bottom:1px solid #ccc;z-index:1}#cards{display:flex;flex-wrap:wrap;gap:.75rem}"
    ".card{margin:0;max-width:340px}.card div{position:relative}.card img{display:block;border:0}"
    ".card svg{position:absolute;left:0;top:0;width:100%;height:100%}"
    "rect{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}.off{display:none}"
    "figcaption{font-size:.8em;overflow-wrap:anywhere}</style>\n";

// A card is shown where its split and findings fit and one of its boxes fits class and size; those
// boxes alone are drawn. Without a filter for boxes every card is shown.
constexpr std::string_view script = R"(<script>
const value = id => document.getElementById(id).value;
function filter() {
  const split = value('split'), finding = value('finding'), c = value('class'), s = value('size');
  let shown = 0;
  for (const card of document.querySelectorAll('.card')) {
    let boxes = 0;
    for (const box of card.querySelectorAll('rect')) {
      const fits = (c === '' || box.dataset.c === c) && (s === '' || box.dataset.s === s);
      box.classList.toggle('off', !fits);
      boxes += fits;
    }
    const findings = card.dataset.f.split(' ');
    const fits = (split === '' || card.dataset.p === split) && (boxes > 0 || (c === '' && s === '')) &&
      (finding === '' || findings.includes(finding) || (finding === 'any' && card.dataset.f !== ''));
    card.classList.toggle('off', !fits);
    shown += fits;
  }
  document.getElementById('shown').textContent = shown + ' shown';
}
for (const select of document.querySelectorAll('select')) select.addEventListener('change', filter);
filter();
</script>
)";

std::string select(const char* id, const char* title,
                   const std::vector<std::pair<std::string, std::string>>& options) {
  std::string out =
      fmt::format("<label>{} <select id=\"{}\"><option value=\"\">all</option>", title, id);
  for (const auto& [value, text] : options)
    out += fmt::format("<option value=\"{}\">{}</option>", text::html(value), text::html(text));
  return out + "</select></label>\n";
}

std::string filters(const BrowsePage& page) {
  std::set<std::string> splits, findings;
  for (const BrowseCard& card : page.cards) {
    splits.insert(card.split);
    findings.insert(card.findings.begin(), card.findings.end());
  }
  const auto numbered = [](const std::vector<std::string>& names) {
    std::vector<std::pair<std::string, std::string>> options;
    for (std::size_t i = 0; i < names.size(); ++i)
      options.emplace_back(std::to_string(i), names[i]);
    return options;
  };
  std::vector<std::pair<std::string, std::string>> split_options, finding_options{{"any", "any"}};
  for (const std::string& split : splits) split_options.emplace_back(split, split);
  for (const std::string& finding : findings) finding_options.emplace_back(finding, finding);
  return "<div id=\"filters\">\n" + select("split", "Split", split_options) +
         select("class", "Class", numbered(page.classes)) +
         select("size", "Size", numbered(page.sizes)) +
         select("finding", "Finding", finding_options) + "<span id=\"shown\"></span></div>\n";
}

std::string colour(int class_index) {
  const cv::Scalar bgr = class_colour(class_index);
  return fmt::format("#{:02x}{:02x}{:02x}", static_cast<int>(bgr[2]), static_cast<int>(bgr[1]),
                     static_cast<int>(bgr[0]));
}

std::string box_text(const BrowsePage& page, const BrowseCard& card, const BrowseBox& box) {
  const auto c = static_cast<std::size_t>(box.class_index);
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" stroke=\"{}\" "
      "data-c=\"{}\" data-s=\"{}\"><title>{}</title></rect>",
      box.x * card.width, box.y * card.height, box.width * card.width, box.height * card.height,
      colour(box.class_index), box.class_index, box.size,
      c < page.classes.size() ? text::html(page.classes[c]) : "?");
}

std::string card_text(const BrowsePage& page, const BrowseCard& card) {
  std::string out = fmt::format(
      "<figure class=\"card\" data-p=\"{}\" data-f=\"{}\"><div><img alt=\"\" width=\"{}\" "
      "height=\"{}\" src=\"data:image/jpeg;base64,{}\"><svg viewBox=\"0 0 {} {}\">",
      text::html(card.split), text::html(fmt::format("{}", fmt::join(card.findings, " "))),
      card.width, card.height, base64(card.thumbnail), card.width, card.height);
  for (const BrowseBox& box : card.boxes) out += box_text(page, card, box);
  out += fmt::format("</svg></div><figcaption>{}: {}, {} boxes", text::html(card.split),
                     text::html(card.name), card.boxes.size());
  if (!card.findings.empty())
    out += fmt::format("; <strong>{}</strong>", fmt::join(card.findings, ", "));
  return out + "</figcaption></figure>\n";
}

}  // namespace

std::string browse_page(const BrowsePage& page) {
  std::string out = page_head(text::html(page.title), "Images of", true);
  out += style;
  if (!page.note.empty()) out += "<p>" + text::html(page.note) + "</p>\n";
  out += filters(page) + "<div id=\"cards\">\n";
  for (const BrowseCard& card : page.cards) out += card_text(page, card);
  out += "</div>\n";
  out += script;
  return out + "</body>\n</html>\n";
}

}  // namespace yolov7::monitoring
