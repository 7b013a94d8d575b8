"""What the built program and libraries want of the C and C++ libraries is in Ubuntu 22.04; and scripts/check-symbols finds what is newer, in a library that the
test makes. Usage: symbols_test.py BUILD_FOLDER"""
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
build = Path(sys.argv[1])
check = root / "scripts/check-symbols"

own = [build / "bin/yolov7", *(one for one in sorted((build / "lib").glob("libyolov7*.so*")) if not one.is_symlink())]
done = subprocess.run([check, *own], capture_output=True, text=True)
assert done.returncode == 0, done.stdout + done.stderr
assert f"{len(own)} files" in done.stdout and "GLIBC 2." in done.stdout and "GLIBCXX 3.4." in done.stdout, done.stdout
print(done.stdout, end="")

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "new.map").write_text("GLIBC_2.99 { global: newer; local: *; };\n")
    (folder / "c.c").write_text("int newer(void) { return 1; }\n")
    (folder / "user.c").write_text("int newer(void);\nint user(void) { return newer(); }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "libstandin.so", "-Wl,--version-script=new.map", "c.c"], check=True, cwd=folder)
    (folder / "out").mkdir()
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "out/libuser.so", "user.c", "libstandin.so"], check=True, cwd=folder)
    done = subprocess.run([check, folder / "out"], capture_output=True, text=True)
    assert done.returncode == 1 and "out/libuser.so: expected at most GLIBC_2.35, found GLIBC_2.99" in done.stderr, done.stdout + done.stderr
    done = subprocess.run([check, folder / "c.c"], capture_output=True, text=True)
    assert done.returncode == 1 and "expected programs or libraries" in done.stderr, done.stderr
