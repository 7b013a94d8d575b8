#include "cli/examples.hpp"

#include <algorithm>

namespace yolov7::cli {
namespace {

struct Examples {
  std::string_view title;
  std::vector<std::string_view> lines;
};

const std::vector<Examples>& labelling_examples() {
  static const std::vector<Examples> list = {
      {"active select",
       {"yolov7 active select --weights best.pt --source images --budget 20 --out chosen"}},
      {"active push", {"yolov7 active push cells --from chosen --to to-label"}},
      {"active pull", {"yolov7 active pull cells"}},
      {"active merge", {"yolov7 active merge cells"}},
      {"active status", {"yolov7 active status cells"}},
      {"active loop",
       {"yolov7 active loop cells --weights best.pt --labelled data/data.yaml --source images --to "
        "to-label"}},
      {"active simulate",
       {"yolov7 active simulate data/data.yaml --start 600 --budget 1200 --out curves"}},
      {"annotate",
       {"yolov7 annotate --teacher best.pt --source images --labelled data/data.yaml --out "
        "machine"}}};
  return list;
}

const std::vector<Examples>& model_examples() {
  static const std::vector<Examples> list = {
      {"demo", {"yolov7 demo", "yolov7 demo --images 60 --epochs 10"}},
      {"doctor",
       {"yolov7 doctor", "yolov7 doctor --data data/data.yaml --img-size 320 --cfg yolov7-tiny"}},
      {"info",
       {"yolov7 info --cfg yolov7-tiny.yaml --nc 3 --img-size 320",
        "yolov7 info --weights best.pt"}},
      {"convert",
       {"yolov7 convert --weights best.pt --to safetensors --out best.safetensors",
        "yolov7 convert --weights best.safetensors --to pt --out state.pt"}},
      {"export",
       {"yolov7 export --weights best.pt --include onnx tflite --out exported",
        "yolov7 export --weights best.pt --include openvino --data data/data.yaml --out proved"}},
      {"quantize",
       {"yolov7 quantize --weights best.pt --data data/data.yaml --include openvino --out int8"}},
      {"compress",
       {"yolov7 compress --weights best.pt --data data/data.yaml --epochs 100 --out smaller"}},
      {"anchors", {"yolov7 anchors --data data/data.yaml --img-size 320"}},
      {"scale", {"yolov7 scale --cfg yolov7-tiny.yaml --depth 2 --width 1.25 --out larger.yaml"}},
      {"prune", {"yolov7 prune --weights best.pt --target-time -35% --out pruned.pt"}},
      {"reparam", {"yolov7 reparam --weights best.pt --out deploy.pt"}},
      {"verify", {"yolov7 verify deploy.pt --parent best.pt"}},
      {"train",
       {"yolov7 train --cfg yolov7-tiny.yaml --data data/data.yaml --epochs 100 --name first",
        "yolov7 train --weights best.pt --data data/data.yaml --epochs 20 --img-size 320",
        "yolov7 train --resume runs/train/first"}},
      {"evolve",
       {"yolov7 evolve --cfg yolov7-tiny.yaml --data data/data.yaml --method halving --epochs 9"}},
      {"mlflow", {"yolov7 mlflow runs/train/first --list"}},
      {"val",
       {"yolov7 val --weights best.pt --data data/data.yaml --task test",
        "yolov7 val --weights best.pt --data data/data.yaml --bootstrap 1000 --error-analysis"}},
      {"detect",
       {"yolov7 detect --weights best.pt --source images --conf-thres 0.25 --save-txt",
        "yolov7 detect --weights best.pt --source video.mp4 --track --nosave --save-txt",
        "yolov7 detect --weights best.pt --source large.jpg --tile 640"}},
      {"benchmark", {"yolov7 benchmark --weights best.pt --batch-size 1 8 --threads 1 2"}},
      {"metrics",
       {"yolov7 metrics --ground-truth truth.json --detections found.json --per-category"}},
      {"compare",
       {"yolov7 compare best.pt other.pt --data data/data.yaml",
        "yolov7 compare found.json other.json --ground-truth truth.json"}},
      {"completion",
       {"source <(yolov7 completion bash)",
        "yolov7 completion fish > ~/.config/fish/completions/yolov7.fish"}},
      {"man", {"yolov7 man train | man -l -", "yolov7 man --out ~/.local/share/man/man1"}}};
  return list;
}

const std::vector<Examples>& data_examples() {
  static const std::vector<Examples> list = {
      {"dataset convert",
       {"yolov7 dataset convert --source annotated --to yolo --out data",
        "yolov7 dataset convert --source data/data.yaml --to coco --out coco"}},
      {"dataset check",
       {"yolov7 dataset check --data data/data.yaml --out checked",
        "yolov7 dataset check --data data/data.yaml --fix mended"}},
      {"dataset split",
       {"yolov7 dataset split --data data/data.yaml --shares 70,20,10 --by stratified --out "
        "split"}},
      {"dataset merge", {"yolov7 dataset merge data/data.yaml more/data.yaml --out both"}},
      {"dataset rename",
       {"yolov7 dataset rename --data data/data.yaml --map car=vehicle truck=vehicle --out "
        "joined"}},
      {"dataset subset", {"yolov7 dataset subset --data data/data.yaml --percent 10 --out tenth"}},
      {"dataset stats", {"yolov7 dataset stats --data data/data.yaml --out stats"}},
      {"dataset browse", {"yolov7 dataset browse --data data/data.yaml --out browse"}},
      {"dataset augment",
       {"yolov7 dataset augment --list",
        "yolov7 dataset augment --data data/data.yaml --preview sheet.png"}},
      {"dataset synth",
       {"yolov7 dataset synth --out data --level easy --train 240 --val 40 --test 60 --img-size "
        "160"}},
      {"dataset version create",
       {"yolov7 dataset version create data/data.yaml --name shapes --message 'first images'"}},
      {"dataset version list", {"yolov7 dataset version list"}},
      {"dataset version show", {"yolov7 dataset version show shapes"}},
      {"dataset version diff", {"yolov7 dataset version diff shapes@v1 shapes@v2"}},
      {"dataset version checkout", {"yolov7 dataset version checkout shapes --out again"}},
      {"dataset version verify", {"yolov7 dataset version verify"}},
      {"dataset version gc", {"yolov7 dataset version gc --dry-run"}},
      {"dataset version bundle", {"yolov7 dataset version bundle shapes --out shapes.tar"}},
      {"dataset version which", {"yolov7 dataset version which best.pt"}},
      {"dataset version merge",
       {"yolov7 dataset version merge shapes@v1 shapes@v2 --base shapes@v1"}},
      {"dataset download", {"yolov7 dataset download roboflow://space/project/3 --out data"}},
      {"dataset upload",
       {"yolov7 dataset upload roboflow://space/project --source data/data.yaml"}},
      {"dataset versions", {"yolov7 dataset versions roboflow://space/project"}},
      {"dataset generate",
       {"yolov7 dataset generate roboflow://space/project --settings steps.json"}},
      {"dataset health", {"yolov7 dataset health roboflow://space/project"}},
      {"dataset push", {"yolov7 dataset push label-studio://localhost:8080/shapes --source data"}},
      {"dataset pull", {"yolov7 dataset pull label-studio://localhost:8080/shapes --out pulled"}}};
  return list;
}

}  // namespace

std::vector<std::string_view> examples_of(std::string_view title) {
  for (const std::vector<Examples>* list :
       {&labelling_examples(), &model_examples(), &data_examples()}) {
    const auto found = std::ranges::find(*list, title, &Examples::title);
    if (found != list->end()) return found->lines;
  }
  return {};
}

}  // namespace yolov7::cli
