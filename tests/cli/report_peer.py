"""report.html of a short training and of a validation, opened in headless Chromium: every picture is decoded, every table is there, nothing overflows the page.
Usage: report_peer.py PROGRAM CHROMIUM [SCREENSHOT]. Exit code 77: skipped."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

program, browser = str(pathlib.Path(sys.argv[1]).resolve()), shutil.which(sys.argv[2])
if browser is None:
    print("skipped: no chromium (scripts/setup installs it)")
    sys.exit(77)


def page(folder, file, *options):
    call = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={folder}/profile", "--window-size=1280,3000", *options, file.as_uri()]
    return subprocess.run(call, check=True, capture_output=True, text=True, timeout=120).stdout


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    run = lambda *arguments: subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True)
    run("dataset", "synth", "--out", "data", "--level", "easy", "--train", "12", "--val", "4", "--test", "0", "--img-size", "96", "--seed", "1")
    run("train", "--cfg", "yolov7-tiny.yaml", "--weights", "", "--data", "data/data.yaml", "--hyp", "hyp.scratch.tiny.yaml", "--img", "96", "--batch", "4", "--epochs", "2", "--name", "shown")
    run("val", "--weights", "runs/train/shown/weights/best.pt", "--data", "data/data.yaml", "--img", "96", "--conf", "0.0001", "--calibration", "--error-analysis", "--bootstrap", "100", "--name", "measured")
    for report, heading, least_pictures, least_tables in (("runs/train/shown", "Training run shown", 9, 3), ("runs/test/measured", "Validation measured", 9, 4)):
        report = folder / report / "report.html"
        text = report.read_text()
        # A copy that may run a script, which writes what the browser made of the page into its title.
        probe = folder / "probe.html"
        script = ("<script>window.onload=()=>{const i=[...document.images];document.title=`${i.length} pictures, ${i.filter(p=>p.naturalWidth>0).length} decoded, "
                  "${document.querySelectorAll('table').length} tables, overflow ${document.documentElement.scrollWidth>innerWidth}`}</script>")
        probe.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace("</body>", script + "</body>"))
        title = re.search(r"<title>(.*?)</title>", page(folder, probe, "--dump-dom", "--virtual-time-budget=5000")).group(1)
        print(title)
        pictures, decoded, tables = (int(n) for n in re.match(r"(\d+) pictures, (\d+) decoded, (\d+) tables, overflow false", title).groups())
        assert pictures == decoded >= least_pictures, title
        assert tables >= least_tables, title
        # The page as it is: no script runs, and what a reader sees is not blank.
        shot = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else folder / "shot.png"
        page(folder, report, f"--screenshot={shot}")
        assert shot.stat().st_size > 50_000, shot.stat().st_size
        assert heading in page(folder, report, "--dump-dom")
print("Chromium shows the reports")
