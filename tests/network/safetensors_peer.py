"""The `safetensors` package reads what we write, and we read what it writes. Usage: safetensors_peer.py FIXTURE. Exit code 77: skipped."""
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    from safetensors import safe_open
    from safetensors.numpy import save_file
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs safetensors)")
    sys.exit(77)

fixture = sys.argv[1]
values = np.arange(12, dtype=np.float64).reshape(3, 4) - 3.5
expected = {
    "model.0.conv.weight": values.astype(np.float16),
    "float32": values.astype(np.float32),
    "float64": values,
    "count": np.array(-1234567890123, dtype=np.int64),
    "empty": np.zeros((0, 4), dtype=np.float32),
}
note = 'käfer "x"'
with tempfile.TemporaryDirectory() as folder:
    ours, theirs = Path(folder, "ours.safetensors"), Path(folder, "theirs.safetensors")
    subprocess.run([fixture, "write", ours], check=True)
    with safe_open(ours, framework="numpy") as file:
        assert file.metadata() == {"note": note}, file.metadata()
        assert sorted(file.keys()) == sorted(expected), list(file.keys())
        for name, array in expected.items():
            found = file.get_tensor(name)
            assert found.dtype == array.dtype and found.shape == array.shape and np.array_equal(found, array), name
    save_file(expected, theirs, metadata={"note": note})
    subprocess.run([fixture, "check", theirs], check=True)
print(f"{len(expected)} tensors, both ways")
