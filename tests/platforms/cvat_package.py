"""The same steps by cvat-sdk: its requests as JSON on standard output. Usage: cvat_package.py (in an environment with cvat-sdk 2.80)."""
import contextlib
import json
import os
import pathlib
import sys
import tempfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cvat_service as cvat  # noqa: E402
from recording_server import RecordingServer  # noqa: E402
from roboflow_service import png  # noqa: E402

service = cvat.Service()
server = RecordingServer(service)
service.address = lambda: server.address
with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(sys.stderr):
    from cvat_sdk import make_client
    from cvat_sdk.core.proxies.tasks import ResourceType
    os.chdir(name)
    for number in range(3):
        pathlib.Path(f"i{number}.png").write_bytes(png(32, 16, (0, 80 * number, 0)))
    with zipfile.ZipFile("annotations.zip", "w") as archive:
        archive.writestr("annotations.xml", "<annotations><image id='0' name='i0.png' width='32' height='16'/></annotations>")
    with make_client(server.address, credentials=(cvat.USER, cvat.PASSWORD)) as client:
        client.config.status_check_period = 0.1
        task = client.tasks.create_from_data(spec={"name": "cells", "labels": [{"name": "cat"}, {"name": "dog"}]}, resource_type=ResourceType.LOCAL, resources=[f"i{n}.png" for n in range(3)],
                                             data_params={"image_quality": 100, "sorting_method": "predefined"})
        task.import_annotations("CVAT 1.1", "annotations.zip")
        push = server.take()
        task.fetch()
        service.asked.clear()
        task.export_dataset("CVAT for images 1.1", "out.zip", include_images=True)
        pull = server.take()
    assert zipfile.ZipFile("out.zip").namelist()[0] == "annotations.xml"
json.dump({"push": cvat.journal(push), "pull": cvat.journal(pull)}, sys.stdout, indent=1)
