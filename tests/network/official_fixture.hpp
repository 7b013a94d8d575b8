#pragma once
// Files as the original program writes them, put together by code: pickled modules with their
// attributes, in both containers.
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "network/graph/weights.hpp"
#include "tests/network/pickle_fixture.hpp"

namespace yolov7::network::hostile {

/// Pickled containers of pickled values.
std::string list(const std::vector<std::string>& values);
std::string dictionary(const std::vector<std::pair<std::string, std::string>>& entries);
std::string real(double value);
std::string small_number(int value);  ///< BININT
std::string ordered_dictionary();
/// An instance of a class, with attributes.
std::string instance(const std::string& class_path,
                     const std::vector<std::pair<std::string, std::string>>& attributes);
/// numpy.array([value]) as protocol 2 pickles it.
std::string numpy_number(double value);

struct OfficialOptions {
  bool legacy = false;
  bool yaml = true;         ///< small_config's networks are recognised by nothing else
  bool activations = true;  ///< pickle the `act` of each Conv
  std::string wrapper;      ///< class path of a data-parallel wrapper
  std::vector<std::string> names{"a", "b"};
  std::map<std::string, std::string>
      attributes;  ///< "model.0.conv.stride" → pickled value, in place of the right one
  std::map<std::string, std::string>
      classes;  ///< "model.0.act" → class path, in place of the right one
};

/// Pickles of models, and the storages they refer to.
class OfficialFile {
 public:
  explicit OfficialFile(const OfficialOptions& options) : options_(options) {}
  /// A model object. `yaml`: the pickled configuration, "" = none.
  std::string model(const Network& network, const Weights& weights, const std::string& yaml);
  /// name → tensor.
  std::string tensors(const Weights& weights);
  std::string tensor(const Tensor& tensor);
  std::string bytes(const std::string& top) const;  ///< the whole file

 private:
  std::string storage(const Tensor& tensor);
  OfficialOptions options_;
  std::vector<std::pair<std::string, std::string>>
      storages_;  ///< class, content; the key is the place
};

/// {nc: 2, …} of `layers` ("[-1, 1, Conv, [8, 3, 2]]" written as values), all in the backbone, one
/// level with one anchor.
std::string small_yaml(const std::vector<std::string>& layers);
/// The network that it describes, its half-precision weights and their pickle: Conv with LeakyReLU,
/// RepConv, IDetect.
struct SmallOfficial {
  SmallOfficial();
  Network network;
  Weights weights;
  std::string yaml;
};

/// The top dictionary: epoch, best_fitness, model, ema.
std::string top(const std::string& model, const std::string& ema = "N", std::int64_t epoch = -1);

}  // namespace yolov7::network::hostile
