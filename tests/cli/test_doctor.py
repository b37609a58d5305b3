"""`senet-mm doctor` on the stack that is there, and on broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_mm.cli.doctor import main
from tests.cli.fake_stacks import OFFICIAL, ONEDL, Stack, run_on

UNDEFINED = "raise ImportError('/x/mmcv/_ext.so: undefined symbol: _ZN3c105ErrorC2E')\n"
NO_LIBGL = "raise ImportError('libGL.so.1: cannot open shared object file')\n"
NO_NMS = "raise RuntimeError('operator torchvision::nms does not exist')\n"
NO_NUMPY = (
    "def numpy(tensor):\n    raise RuntimeError('Numpy is not available')\n"
    "class Tensor:\n    numpy = numpy\nzeros = lambda *size: Tensor()\n"
)
RESIZED = "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')\n"
MMDET_REFUSES = (
    "import mmcv\nassert mmcv.__version__ < '2.2', 'MMCV==2.2.0 is used but incompatible.'\n"
)

# what is broken: the stack, the part that is named, why, and the command that mends it
BROKEN = {
    "mmcv absent": (
        Stack(ONEDL, {"onedl-mmcv": None}, {"mmcv/": None}),
        "mmcv is not installed",
        "pip install 'onedl-mmcv>=2.3.6,<2.4'",
    ),
    "mmcv too new": (
        Stack(ONEDL, {"onedl-mmcv": "2.4.0"}),
        "mmcv is 2.4.0, expected is >=2.1.0,<2.4.0",
        "pip install 'onedl-mmcv>=2.3.6,<2.4'",
    ),
    "mmengine too old": (
        Stack(OFFICIAL, {"mmengine": "0.9.1"}),
        "mmengine is 0.9.1, expected is >=0.10.0,<0.11.0",
        "pip install 'mmengine>=0.10.7,<0.11'",
    ),
    "an mmcv that the official mmdet refuses": (
        Stack(
            OFFICIAL,
            {"mmcv-lite": None, "mmcv": "2.2.0"},
            {"mmcv/__init__.py": "__version__ = '2.2.0'\n", "mmdet/__init__.py": MMDET_REFUSES},
        ),
        "mmdet cannot be imported: AssertionError: MMCV==2.2.0 is used but incompatible.",
        "pip uninstall -y mmcv && pip install --no-cache-dir 'mmcv-lite>=2.1.0,<2.2'",
    ),
    "mmdet absent": (
        Stack(OFFICIAL, {"mmdet": None}, {"mmdet/": None}),
        "mmdet is not installed",
        "pip install 'mmdet>=3.3.0,<3.4'",
    ),
    "numpy 2 with the official line": (
        Stack(OFFICIAL, {"numpy": "2.2.6"}),
        "numpy is 2.2.6, expected is <2",
        "pip install 'numpy<2'",
    ),
    "a torch compiled for numpy 1": (
        Stack(ONEDL, {"torch": "2.1.2"}, {"torch/__init__.py": NO_NUMPY}),
        "torch does not work with numpy 2.2.6: RuntimeError: Numpy is not available",
        "pip install 'numpy<2'",
    ),
    "mmcv compiled for another torch": (
        Stack(ONEDL, modules={"mmcv/_ext.py": UNDEFINED}),
        "mmcv ops cannot be loaded, they were compiled for another torch: ImportError: "
        "/x/mmcv/_ext.so: undefined symbol: _ZN3c105ErrorC2E",
        "pip install --force-reinstall --no-deps --no-cache-dir 'onedl-mmcv>=2.3.6,<2.4'",
    ),
    "torch absent": (
        Stack(ONEDL, {"torch": None}, {"torch/": None}),
        "torch is not installed",
        "pip install 'torch>=2.1'",
    ),
    "torchvision absent": (
        Stack(ONEDL, {"torchvision": None}, {"torchvision/": None}),
        "torchvision is not installed",
        "pip install 'torchvision==0.26.*'",
    ),
    "torchvision of another torch": (
        Stack(ONEDL, {"torchvision": "0.20.0"}, requires={"torchvision": "torch==2.5.0"}),
        "torchvision is compiled for torch==2.5.0, found is torch 2.11.0",
        "pip install --force-reinstall --no-deps 'torchvision==0.26.*'",
    ),
    "torchvision without its kernels": (
        Stack(ONEDL, modules={"torchvision/__init__.py": NO_NMS}),
        "torchvision cannot be imported: RuntimeError: operator torchvision::nms does not exist",
        "pip install --force-reinstall --no-deps 'torchvision==0.26.*'",
    ),
    "both mmengines over each other": (
        Stack(ONEDL, {"mmengine": "0.10.7"}),
        "mmengine comes from onedl-mmengine and mmengine, installed over each other",
        "pip uninstall -y onedl-mmengine mmengine && "
        "pip install --no-cache-dir 'onedl-mmengine>=0.10.12,<0.11'",
    ),
    "pycocotools absent": (
        Stack(ONEDL, {"pycocotools": None}, {"pycocotools/": None}),
        "pycocotools is not installed",
        "pip install 'pycocotools>=2.0.6'",
    ),
    "pycocotools compiled for another numpy": (
        Stack(ONEDL, modules={"pycocotools/mask.py": RESIZED}),
        "pycocotools cannot be imported: ValueError: numpy.dtype size changed, may indicate binary "
        "incompatibility",
        "pip install --force-reinstall --no-deps --no-cache-dir 'pycocotools>=2.0.6'",
    ),
    "no pkg_resources": (
        Stack(OFFICIAL, modules={"mmengine/utils/package_utils.py": "import pkg_resources\n"}),
        "mmengine needs pkg_resources, a part of setuptools before 81",
        "pip install 'setuptools<81'",
    ),
    "opencv absent": (
        Stack(ONEDL, {"opencv-python": None}, {"cv2/": None}),
        "cv2 is not installed",
        "pip install opencv-python",
    ),
    "opencv without libGL": (
        Stack(ONEDL, modules={"cv2/__init__.py": NO_LIBGL}),
        "cv2 cannot be imported: ImportError: libGL.so.1: cannot open shared object file",
        "pip uninstall -y opencv-python && pip install --no-cache-dir opencv-python-headless",
    ),
    "jinja2 absent": (
        Stack(ONEDL, {"jinja2": None}, {"jinja2/": None}),
        "jinja2 is not installed",
        "pip install 'jinja2>=3.0'",
    ),
    "a package of a package absent": (
        Stack(ONEDL, modules={"mmengine/__init__.py": "import yaml\n"}),
        "mmengine cannot be imported: ModuleNotFoundError: No module named 'yaml'",
        "pip install pyyaml",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_and_what_mends_it(name: str, tmp_path: Path) -> None:
    stack, what, mend = BROKEN[name]
    stack.make(tmp_path)
    done = run_on(tmp_path, "-m", "senet_mm.cli", "doctor")
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    part = "mmcv ops" if what.startswith("mmcv ops") else what.partition(" ")[0]
    assert f"Broken: {part}." in lines  # and nothing that follows from it
    assert lines[-2:] == [what, f"    {mend}"]


@pytest.mark.parametrize(
    "program", [["-m", "senet_mm.cli", "train", "x.py"], ["-c", "import senet_mm"]]
)
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mmcv absent", "needs mmcv>=2.1.0,<2.4.0, which is not installed: install one of"),
        (
            "mmcv compiled for another torch",
            "needs mmcv.ops, whose import fails, ImportError: /x/mm",
        ),
        ("torchvision without its kernels", "needs torchvision, whose import fails, RuntimeErr"),
        ("an mmcv that the official mmdet refuses", "needs mmdet, whose import fails, Assertion"),
    ],
)
def test_commands_and_imports_tell_the_first_in_one_sentence(
    program: list[str], name: str, told: str, tmp_path: Path
) -> None:
    BROKEN[name][0].make(tmp_path)
    done = run_on(tmp_path, *program)
    *above, last = done.stderr.splitlines()
    assert told in last and "`senet-mm doctor` tells" in last
    if "train" in program:
        assert (done.returncode, above) == (2, []) and last.startswith("error: senet_mm needs")
    else:
        assert done.returncode == 1 and last.startswith("ImportError: senet_mm needs")


def test_this_stack_is_not_broken(capsys: pytest.CaptureFixture) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    for start in ("senet_mm", "Python", "torch", "torchvision", "mmengine", "mmcv ops", "mmdet"):
        assert f"\n{start} " in f"\n{out}"
    assert out.endswith("\nNothing is broken.\n")
