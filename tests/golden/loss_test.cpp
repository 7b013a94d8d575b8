// Plain, OTA and auxiliary loss against the official code (loss.json).
#include "training/loss/loss.hpp"

#include "golden/reference.hpp"

namespace yolov7::training {
namespace {

/// Anchors and strides of the case; the auxiliary kind has a second set of maps.
network::Network network_of(const nlohmann::json& one) {
  network::Network net;
  net.class_count = one.at("nc");
  const bool auxiliary = one.at("kind") == "aux";
  net.head = auxiliary ? network::HeadKind::iauxdetect : network::HeadKind::idetect;
  const auto strides = one.at("strides").get<std::vector<double>>();
  const auto sides = one.at("anchors_px").get<std::vector<double>>();
  for (int pass = 0; pass < (auxiliary ? 2 : 1); ++pass)
    for (std::size_t l = 0; l < strides.size(); ++l) {
      network::Level level;
      level.stride = strides[l];
      level.auxiliary = pass == 1;
      for (std::size_t a = 0; a < 3; ++a)
        level.anchors.push_back({sides[(l * 3 + a) * 2], sides[(l * 3 + a) * 2 + 1]});
      net.levels.push_back(level);
    }
  return net;
}

LossOptions options_of(const nlohmann::json& one) {
  const nlohmann::json& hyp = one.at("hyp");
  LossOptions options;
  const std::string kind = one.at("kind");
  options.kind = kind == "plain" ? LossOptions::Kind::plain
                 : kind == "ota" ? LossOptions::Kind::ota
                                 : LossOptions::Kind::auxiliary;
  options.gains = {hyp.at("box"), hyp.at("cls"), hyp.at("obj")};  // already scaled
  options.cls_positive_weight = hyp.at("cls_pw");
  options.obj_positive_weight = hyp.at("obj_pw");
  options.ratio_limit = hyp.at("anchor_t");
  options.focal_gamma = hyp.at("fl_gamma");
  options.label_smoothing = hyp.at("label_smoothing");
  options.autobalance = one.at("autobalance");
  return options;
}

std::vector<at::Tensor> maps_of(const nlohmann::json& one) {
  std::vector<at::Tensor> maps;
  for (std::size_t l = 0; l < one.at("grad").size(); ++l) {
    const golden::Sequence sequence(one.at("key").get<std::string>() + "/pred/" +
                                    std::to_string(l));
    at::Tensor map =
        at::empty(one.at("grad")[l].at("shape").get<std::vector<std::int64_t>>(), at::kFloat);
    float* values = map.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < map.numel(); ++i)
      values[i] = static_cast<float>(2.5 * sequence.sym(static_cast<std::uint64_t>(i)));
    maps.push_back(map.requires_grad_(true));
  }
  return maps;
}

void expect_value(const LossValue& value, double total, const std::vector<double>& parts,
                  const std::string& key) {
  const auto near = [&](double found, double wanted, const std::string& what) {
    EXPECT_LE(std::abs(found - wanted), 1e-5 * std::abs(wanted))
        << key << ' ' << what << ": " << found << ", expected " << wanted;
  };
  near(value.total.item<double>(), total, "total");
  ASSERT_EQ(parts.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i)
    near(value.parts[static_cast<std::int64_t>(i)].item<double>(), parts[i],
         "part " + std::to_string(i));
}

void expect_gradient(const at::Tensor& gradient, const nlohmann::json& expected,
                     const std::string& where) {
  const at::Tensor values = gradient.contiguous();
  const double sum = values.to(at::kDouble).abs().sum().item<double>(),
               wanted_sum = expected.at("abs_sum");
  EXPECT_LE(std::abs(sum - wanted_sum), 1e-4 * wanted_sum)
      << where << " abs_sum: " << sum << ", expected " << wanted_sum;
  const golden::Digest wanted = golden::read_digest(expected);
  const golden::Digest found =
      golden::digest_of(values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel()),
                        values.sizes().vec(), wanted);
  golden::expect_digest(found, wanted, 1e-4, 1e-8, where);
}

TEST(GoldenLoss, EveryCase) {
  YOLOV7_REQUIRE_REFERENCE(golden::golden_dir());
  golden::Cases cases("loss");
  for (const auto& file : golden::golden_files("loss"))
    for (const nlohmann::json& one : golden::load(file)) {
      const std::string key = one.at("key");
      Loss loss(options_of(one), network_of(one));
      const std::vector<at::Tensor> maps = maps_of(one);
      const auto rows = one.at("targets").get<std::vector<Target>>();
      const LossValue value = loss(maps, rows);
      expect_value(value, one.at("total"), one.at("lbox_lobj_lcls_total"), key);
      value.total.backward();
      for (std::size_t l = 0; l < maps.size(); ++l)
        expect_gradient(maps[l].grad(), one.at("grad")[l], key + " gradient " + std::to_string(l));
      if (const auto second = one.find("second_call_total_and_parts"); second != one.end()) {
        at::NoGradGuard no_gradient;
        expect_value(loss(maps, rows), second->at(0).at(0), second->at(1), key + " second call");
      }
      cases.ran();
    }
}

}  // namespace
}  // namespace yolov7::training
