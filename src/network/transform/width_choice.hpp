#pragma once
// How many channels each group keeps (export 9.4): by a share of all, or by measured time.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "network/transform/channel_groups.hpp"
#include "network/transform/channel_scores.hpp"

namespace yolov7::network {

struct WidthLimits {
  int multiple = 8;          ///< a group is cut to a multiple of it
  double least_share = 0.1;  ///< of its units, and at least `multiple` of them, stay in a group
};

/// Units by group that stay.
using Widths = std::vector<std::size_t>;

Widths all_units(const std::vector<ChannelGroup>& groups);

/// The units of least score go, over all groups at once, up to a share of all units; then every
/// group's count is rounded up. Equal scores: the later unit goes first.
Widths widths_by_share(const std::vector<std::vector<double>>& scores, double share,
                       const WidthLimits& limits);

/// Which units go where each group keeps so many: those of least score.
KeptChannels kept_channels(const Network& network, const std::vector<ChannelGroup>& groups,
                           const std::vector<std::vector<double>>& scores, const Widths& widths);

/// A convolution with the channels that it has left, and the size of its output.
struct TimedConvolution {
  Convolution shape;
  Activation activation;
  int height = 0, width = 0;  ///< of its input
};
/// Seconds; asked anew for the same one it answers the same.
using ConvolutionTime = std::function<double(const TimedConvolution&)>;

struct TimedWidths {
  Widths widths;
  double before = 0, after = 0;  ///< seconds: the sum over the convolutions, by the table
  std::size_t cuts = 0;
};

/// Cuts groups until the convolutions take `target` seconds less or nothing is left to cut. A cut
/// takes one group to a lower multiple; of all cuts after which the table's time falls the one is
/// made that saves most for what it loses: − log of the share of the group's scores that stays.
/// `image`: height and width of the picture.
class WidthsByTime {
 public:
  /// All outlive this object. The network is folded: that is what runs; `groups` and `scores` are
  /// of a network with the same value numbers.
  WidthsByTime(const Network& folded, const std::vector<ChannelGroup>& groups,
               const std::vector<std::vector<double>>& scores, const WidthLimits& limits,
               int image_height, int image_width, ConvolutionTime time);

  /// From what was chosen before; `saving` counts from the network with all units.
  TimedWidths choose(double saving);

 private:
  struct Conv {
    TimedConvolution whole;
    std::vector<std::pair<std::size_t, int>> in, out;  ///< group, channels for each of its units
    int fixed_in = 0, fixed_out = 0;                   ///< channels of no group
    double now = 0;
  };
  struct Cut {
    std::size_t group = 0, to = 0;
    double saved = 0, worth = 0;
  };
  double time_of(const Conv& conv, const Widths& widths) const;
  double lost(std::size_t group, std::size_t from, std::size_t to) const;
  bool find_cut(Cut& best) const;
  void make(const Cut& cut);

  const std::vector<std::vector<double>>& scores_;
  WidthLimits limits_;
  ConvolutionTime time_;
  std::vector<Conv> convs_;
  std::vector<std::vector<std::size_t>> touched_;  ///< by group: convolutions
  std::vector<std::vector<double>> sums_;          ///< by group: of the n best scores, n = 0 …
  TimedWidths state_;
};

/// Where a search for a time ended.
struct WidthSearch {
  TimedWidths chosen;
  double best = 0;       ///< largest share of the time that was measured to be saved
  bool reached = false;  ///< else no cut is left
};
/// Seconds of the parent and of the network with these widths, measured.
using WidthsTime = std::function<std::pair<double, double>(const TimedWidths&)>;

/// Cuts until the share `wanted` of the time is measured to be saved, or no cut is left.
WidthSearch search_widths(double wanted, WidthsByTime& choice, const WidthsTime& measure);

}  // namespace yolov7::network
