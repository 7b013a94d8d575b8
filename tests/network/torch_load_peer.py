#!/usr/bin/env python3
"""A real PyTorch opens a written checkpoint with weights_only=True. Usage: torch_load_peer.py <program that writes the checkpoint>.
Runs in $YOLOV7_TORCH_PYTHON, else /usr/bin/python3; skipped (77) where that has no torch."""
import json
import os
import subprocess
import tempfile

import torch_python


def main(writer):
    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.pt")
        subprocess.run([writer, path], check=True)
        try:
            top = torch.load(path, map_location="cpu", weights_only=True)
        except TypeError:  # before torch 1.13 there is no such option
            print(f"skipped: torch {torch.__version__} has no weights_only")
            return torch_python.SKIPPED
    assert list(top) == ["format", "format_version", "model", "ema", "optimizer", "meta"], list(top)
    assert top["format"] == "yolov7.cpp" and top["format_version"] == 1
    model = top["model"]
    expected = torch.arange(12, dtype=torch.float64).reshape(3, 4) - 3.5  # exact in every type
    for name in ("float16", "bfloat16", "float32", "float64"):
        assert model[name].dtype == getattr(torch, name), name
        assert torch.equal(model[name].double(), expected), name
    assert model["int64"].dtype == torch.int64 and model["int64"].shape == () and model["int64"].item() == -1234567890123
    assert model["uint8"].tolist() == [[[0, 1]], [[254, 255]]]
    assert model["empty"].shape == (0, 4) and model["empty"].dtype == torch.float32
    weight = top["ema"]["model.0.conv.weight"]
    assert weight.shape == (8, 3, 3, 3) and bool((weight == 0.5).all())
    assert len(top["optimizer"]) == 0
    meta = json.loads(top["meta"])
    assert meta["names"] == ["käfer"] and meta["class_count"] == 1 and json.loads(meta["state"])["epoch"] == 7
    print(f"torch {torch.__version__}: {len(model) + len(top['ema'])} tensors read with weights_only=True")
    return 0


if __name__ == "__main__":
    torch_python.run(__file__, main)
