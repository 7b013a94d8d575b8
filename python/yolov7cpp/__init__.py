"""Detection with models of yolov7.cpp, and its program's verbs as calls."""
from ._core import Error, version as _version
from ._detector import Box, Detector, Image, Result
from ._program import Progress, ProgramError, program_path, run

__version__ = _version()
__all__ = ["Box", "Detector", "Error", "Image", "Progress", "ProgramError", "Result", "program_path", "run", "__version__"]
