"""Files made to do harm: refused or inert, and nothing outside them is changed."""

import argparse
import collections
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim import MultiStepLR

from senet_mm.weights.read import safe_pickle
from senet_mm.weights.read.file import read_file
from senet_mm.weights.read.safe_pickle import Opaque

REBUILD = "torch._utils", "_rebuild_tensor_v2"


class Reduced:
    """Pickles as what it is given: (callable, arguments[, state])."""

    def __init__(self, *reduced: object) -> None:
        self.reduced = reduced

    def __reduce__(self) -> tuple:
        return self.reduced


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def legacy_file(path: Path, body: bytes) -> Path:
    """A file in torch's older format whose object is made by hand-written opcodes."""
    sizes = dict(short=2, int=4, long=4)
    system = dict(protocol_version=1001, little_endian=True, type_sizes=sizes)
    head = (torch.serialization.MAGIC_NUMBER, 1001, system)
    parts = [pickle.dumps(value, 2) for value in head]
    path.write_bytes(b"".join(parts) + b"\x80\x02" + body + b"." + pickle.dumps([], 2))
    return path


def test_state_cannot_be_set_on_what_a_pickle_names(tmp_path: Path) -> None:
    """Opcode BUILD with (None, attributes) sets attributes of classes and functions."""
    names = [REBUILD, ("torch._utils", "_rebuild_parameter"), ("_codecs", "encode")]
    names += [("argparse", "Namespace"), ("mmengine.logging.history_buffer", "HistoryBuffer")]
    names += [("collections", "OrderedDict"), ("collections", "Counter")]
    names += [("numpy", "dtype"), ("builtins", "getattr")]
    body = b"".join(
        named(*name) + b"N}(" + text("__defaults__") + b"K\x01K\x02\x86" + text("keys") + b"K\x01"
        b"u\x86b0"
        for name in names
    )
    before = torch._utils._rebuild_tensor_v2.__defaults__
    content = read_file(legacy_file(tmp_path / "x.pth", body + b"}" + text("a") + b"K\x01s"))
    assert content == {"a": 1}
    assert torch._utils._rebuild_tensor_v2.__defaults__ == before
    for owner in (argparse.Namespace, HistoryBuffer, Opaque, safe_pickle._Dict):
        assert not hasattr(owner, "__defaults__")
    assert collections.OrderedDict(a=1).keys() == {"a"}


@pytest.mark.parametrize("name", ["dict", "list", "set", "int"])
def test_nor_on_builtins(tmp_path: Path, name: str) -> None:
    body = (
        named("builtins", name) + b"N}(" + text("evil") + b"K\x01u\x86b0}" + text("a") + b"K\x01s"
    )
    with pytest.raises(ValueError, match=r"x\.pth is truncated or no checkpoint"):
        read_file(legacy_file(tmp_path / "x.pth", body))


def test_the_source_of_a_container_is_not_written_out(tmp_path: Path, monkeypatch) -> None:
    """torch writes a patch file, of a name and content that the checkpoint may choose."""
    monkeypatch.chdir(tmp_path)
    attributes = text("dump_patches") + b"\x88" + text("__name__") + text("written")
    body = named("argparse", "Namespace") + b"q\x00N}(" + attributes + b"u\x86b"
    body += b"0(" + text("module") + b"h\x00" + text("a.py") + text("line\n") + b"tQ0}"
    legacy_file(tmp_path / "x.pth", body)
    with pytest.raises(ValueError, match=r"x\.pth"):
        read_file(tmp_path / "x.pth")
    assert [path.name for path in tmp_path.iterdir()] == ["x.pth"]
    assert argparse.Namespace.__name__ == "Namespace"
    assert not hasattr(argparse.Namespace, "dump_patches")


def test_numpy_makes_nothing(tmp_path: Path) -> None:
    """A crafted dtype of objects over eight bytes is a pointer that numpy would follow."""
    fields = {"f0": (np.dtype("O"), 0)}
    crafted = Reduced(np.dtype, ("V8", False, True), (3, "|", None, ("f0",), fields, 8, 1, 0))
    scalar = np.float64(0).__reduce__()[0]
    content = {"scalar": Reduced(scalar, (crafted, b"AAAAAAAA")), "array": np.zeros(3)}
    torch.save(content, tmp_path / "x.pth")
    assert {type(value) for value in read_file(tmp_path / "x.pth").values()} == {Opaque}


def test_classes_of_mmengine_are_untouched(tmp_path: Path) -> None:
    state = {"statistics_methods": {"mean": HistoryBuffer.max}}
    torch.save({"x": Reduced(HistoryBuffer, (), state)}, tmp_path / "x.pth")
    assert type(read_file(tmp_path / "x.pth")["x"]) is Opaque
    assert HistoryBuffer([1.0, 3.0], [1, 1]).statistics("mean") == 2


def test_an_archive_that_shows_two_tables_of_contents(tmp_path: Path) -> None:
    """Python's zipfile reads the last one, without constants.pkl; torch would run TorchScript."""
    path = tmp_path / "script.pth"
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(path))
    raw = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        start, number = archive.start_dir, len(archive.namelist())
    end = raw.find(b"PK\x06\x06", start)
    table = raw[start : end if end > 0 else raw.rfind(b"PK\x05\x06")]
    shown = table.replace(b"constants.pkl", b"c0nstants.pkl")
    counts = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, number, number, len(shown), start, 0)
    path.write_bytes(raw + shown + counts)
    assert not any("constants" in name for name in zipfile.ZipFile(path).namelist())
    with pytest.raises(ValueError, match=r"script\.pth cannot be read: it is a TorchScript"):
        read_file(path)


@pytest.mark.parametrize(
    "name",
    [
        ("posix", "system"),
        ("torch", "serialization.os.system"),
        ("collections", "OrderedDict.__init__.__globals__"),
        ("builtins", "eval"),
        ("os", "systemStorage"),
        ("torch.storage", "_load_from_bytes"),
        ("torch._tensor", "_rebuild_from_type_v2"),
        ("torch", "load"),
    ],
)
def test_other_names_are_refused(tmp_path: Path, name: tuple[str, str]) -> None:
    legacy_file(tmp_path / "x.pth", named(*name) + text("id") + b"\x85R")
    with pytest.raises(ValueError, match=rf"holds Python objects .*\({name[0]}\.{name[1]}\)"):
        read_file(tmp_path / "x.pth")


def test_tensors_are_made_of_storages_alone(tmp_path: Path) -> None:
    arguments = b"(" + named("argparse", "Namespace") + b"K\x00K\x01\x85K\x01\x85\x89Nt"
    legacy_file(tmp_path / "x.pth", named(*REBUILD) + arguments + b"R")
    with pytest.raises(ValueError, match="a tensor is made of a type"):
        read_file(tmp_path / "x.pth")
    torch.save({"a": torch.ones(2, dtype=torch.complex64).conj()}, tmp_path / "conj.pth")
    with pytest.raises(ValueError, match=r"conj\.pth cannot be read: .*conjugate"):
        read_file(tmp_path / "conj.pth")


@pytest.mark.parametrize("legacy", [False, True])
def test_milestones_of_a_schedule_are_read(tmp_path: Path, legacy: bool) -> None:
    """A MultiStepLR, which every 1x and 2x schedule has, saves them as a Counter."""
    optimizer = torch.optim.SGD(torch.nn.Linear(1, 1).parameters(), lr=0.02)
    state = MultiStepLR(optimizer, milestones=[16, 22, 22], end=24).state_dict()
    assert type(state["milestones"]) is collections.Counter
    content = {"state_dict": {"a": torch.ones(1)}, "param_schedulers": [state]}
    path = tmp_path / "epoch_24.pth"
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    read = read_file(path)
    assert read["param_schedulers"][0]["milestones"] == {16: 1, 22: 2}
