#!/usr/bin/env python3
"""What a real PyTorch saves is read: whole pickled models of classes with the official paths, in both containers and several
forms, and plain dictionaries; and what `convert --to pt` writes opens with weights_only=True and has the same tensors.
Usage: torch_save_peer.py YOLOV7. Runs in $YOLOV7_TORCH_PYTHON, else /usr/bin/python3; skipped (77) where that has no torch."""
import json
import os
import subprocess
import sys
import tempfile
import types

import torch_python


def define_modules():
    """Empty classes under the official paths: a pickle holds their path and attributes only."""
    import torch
    from torch import nn

    common, yolo, package = types.ModuleType("models.common"), types.ModuleType("models.yolo"), types.ModuleType("models")
    for module, names in ((common, ["Conv", "RepConv", "Concat", "ImplicitA", "ImplicitM"]), (yolo, ["Model", "IDetect"])):
        for name in names:
            setattr(module, name, type(name, (nn.Module,), {"__module__": module.__name__}))
    sys.modules.update({"models": package, "models.common": common, "models.yolo": yolo})

    def norm(c):
        bn = nn.BatchNorm2d(c, eps=1e-3, momentum=0.03)
        bn.running_mean.uniform_(-1, 1)
        return bn

    def conv(c1, c2, k, s, act):
        m = common.Conv()
        m.conv, m.bn, m.act = nn.Conv2d(c1, c2, k, s, k // 2, bias=False), norm(c2), act
        return m

    def branch(k):
        return nn.Sequential(nn.Conv2d(8, 8, k, 1, k // 2, bias=False), norm(8))

    rep = common.RepConv()
    rep.act, rep.rbr_identity, rep.rbr_dense, rep.rbr_1x1 = nn.SiLU(), norm(8), branch(3), branch(1)
    head = yolo.IDetect()
    head.register_buffer("anchors", torch.tensor([[[1.25, 1.625]]]))
    head.register_buffer("anchor_grid", torch.tensor([10.0, 13.0]).view(1, 1, 1, 1, 1, 2))
    head.m = nn.ModuleList([nn.Conv2d(16, 7, 1)])
    head.ia, head.im = nn.ModuleList([common.ImplicitA()]), nn.ModuleList([common.ImplicitM()])
    head.ia[0].implicit, head.im[0].implicit = nn.Parameter(torch.randn(1, 16, 1, 1)), nn.Parameter(torch.randn(1, 7, 1, 1))
    head.stride, head.grid = torch.tensor([2.0]), [torch.zeros(1, 1, 4, 4, 2)]
    layers = [conv(3, 8, 3, 2, nn.LeakyReLU(0.1, inplace=True)), rep, common.Concat(), head]
    for i, (layer, f) in enumerate(zip(layers, (-1, -1, [-1, 0], -1))):
        layer.i, layer.f, layer.type = i, f, f"{type(layer).__module__}.{type(layer).__name__}"
    model = yolo.Model()
    model.model, model.names, model.stride = nn.Sequential(*layers), ["cat", "dog"], head.stride
    model.yaml = {"nc": 2, "depth_multiple": 1.0, "width_multiple": 1.0, "anchors": [[10, 13]], "ch": 3, "head": [[-1, 1, "IDetect", ["nc", "anchors"]]],
                  "backbone": [[-1, 1, "Conv", [8, 3, 2, "None", 1, "nn.LeakyReLU(0.1)"]], [-1, 1, "RepConv", [8, 3, 1]], [[-1, 0], 1, "Concat", [1]]]}
    return model.half().eval()


def forms(model):
    """name → object to save: what training, stripping and forks leave."""
    import collections
    import copy

    import torch
    from torch import nn

    state = model.state_dict()
    yaml = {"yaml": model.yaml, "names": {0: "cat", 1: "dog"}}
    optimizer = torch.optim.SGD(copy.deepcopy(model).float().parameters(), lr=0.1, momentum=0.9)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    fitness = 0.5
    try:
        import numpy

        fitness = numpy.array([0.5])
    except ImportError:
        pass
    synced = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(model))
    for module in synced.modules():
        if isinstance(module, nn.SyncBatchNorm):
            module.process_group = None
    stripped = {"epoch": -1, "best_fitness": fitness, "training_results": None, "model": model, "ema": None, "updates": None, "optimizer": None, "wandb_id": None}
    return {
        "stripped": stripped,
        "training": {**stripped, "epoch": 7, "ema": copy.deepcopy(model), "updates": 100, "optimizer": optimizer.state_dict()},
        "alone": model,
        "synced": {"model": synced},
        "parallel": {"model": nn.DataParallel(model)},
        "state": {"state_dict": state, **yaml},
        "module": {"model": collections.OrderedDict(("module." + k, v) for k, v in state.items()), **yaml},
        "parameters": {"model": {k: nn.Parameter(v, requires_grad=False) for k, v in state.items()}, **yaml},
        "shared": {"model": shared_storage(state), **yaml},
    }


def shared_storage(state):
    """The same values as views of one storage, one of them transposed: offsets and strides."""
    import torch

    halves = [k for k, v in state.items() if v.is_floating_point()]
    flat = torch.cat([(state[k].transpose(0, -1) if state[k].dim() > 1 else state[k]).reshape(-1) for k in halves])
    out, at = {}, 0
    for k, v in state.items():
        if k not in halves:
            out[k] = v
            continue
        turned = v.transpose(0, -1) if v.dim() > 1 else v
        view = flat[at:at + v.numel()].view(turned.shape)
        out[k] = view.transpose(0, -1) if v.dim() > 1 else view
        at += v.numel()
    return out


def main(program):
    import warnings

    import torch

    warnings.simplefilter("ignore")  # the old container wants the classes' source text
    torch.manual_seed(1)
    model = define_modules()
    expected = model.state_dict()
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        path, back = os.path.join(folder, "a.pt"), os.path.join(folder, "b.pt")
        for name, value in forms(model).items():
            for zipped in (True, False):
                torch.save(value, path, _use_new_zipfile_serialization=zipped)
                told = json.loads(subprocess.run([program, "info", "--weights", path, "--json"], check=True, capture_output=True).stdout)
                where = f"{name}, {'zip' if zipped else 'legacy'}"
                assert told["checkpoint"]["container"] == ("zip" if zipped else "legacy"), where
                assert told["head"] == "IDetect" and told["checkpoint"]["precision"] == "float16", where
                assert told["classes"] == ["cat", "dog"], (where, told["classes"])
                if name == "training":
                    assert told["checkpoint"]["last_epoch"] == 7 and told["checkpoint"]["best_fitness"] == 0.5, told["checkpoint"]
                    assert told["checkpoint"]["tensors"]["optimizer"] == sum(1 for _ in model.parameters()), told["checkpoint"]
                subprocess.run([program, "convert", "--weights", path, "--to", "pt", "--out", back], check=True, capture_output=True)
                try:
                    found = torch.load(back, weights_only=True)
                except TypeError:  # before torch 1.13 there is no such option
                    found = torch.load(back)
                assert list(found) == list(expected), where
                for key, tensor in expected.items():
                    assert found[key].dtype == tensor.dtype and torch.equal(found[key], tensor), (where, key)
                model.load_state_dict(found, strict=True)
                count += 1
        # A folded model object is pickled with bound methods, that is, with getattr: refused by name.
        model.forward_fused = model.forward
        torch.save({"model": model}, path)
        refused = subprocess.run([program, "info", "--weights", path], capture_output=True, text=True)
        assert refused.returncode == 1 and "getattr" in refused.stderr and "unfolded" in refused.stderr, refused.stderr
    print(f"torch {torch.__version__}: {count} files read, and their tensors read back with weights_only=True")
    return 0


if __name__ == "__main__":
    torch_python.run(__file__, main)
