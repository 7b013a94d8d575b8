#pragma once
// One page with images and their boxes, filtered by class, size, split and finding. Everything is
// in the page: it works without network and without its data set.
#include <set>
#include <string>
#include <vector>

namespace yolov7::monitoring {

struct BrowseBox {
  double x = 0, y = 0, width = 0, height = 0;  ///< upper left corner and size, shares of the image
  int class_index = 0;
  int size = 0;  ///< place in BrowsePage::sizes
};

struct BrowseCard {
  std::string name, split, thumbnail;  ///< JPEG bytes
  int width = 0, height = 0;           ///< of the thumbnail, px
  std::vector<BrowseBox> boxes;
  std::set<std::string> findings;  ///< names of checks
};

struct BrowsePage {
  std::string title, note;  ///< note: what is not shown
  std::vector<std::string> classes, sizes;
  std::vector<BrowseCard> cards;
};

std::string browse_page(const BrowsePage& page);

}  // namespace yolov7::monitoring
