"""Reading files: what is refused, and that nothing in a file is run."""

import argparse
import collections
import hashlib
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from senet_mm.weights.read.file import read_file, sha256
from senet_mm.weights.read.safe_pickle import Opaque

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(7)}


class RunsCode:
    """A pickle that writes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.write_text, (self.path, "ran")


def same(ours: dict, theirs: dict) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in theirs)


def test_torch_legacy_and_safetensors_files(tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / "new.pth")
    torch.save(WEIGHTS, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    safetensors.torch.save_file(WEIGHTS, tmp_path / "new.safetensors")
    for name in ("new.pth", "old.pth", "new.safetensors"):
        assert same(read_file(tmp_path / name), WEIGHTS), name


def test_plain_data_beside_tensors_are_read(tmp_path: Path) -> None:
    hub = MessageHub("test_plain_data")
    for value in (1.0, 3.0):
        hub.update_scalar("train/loss", value)
    hub.update_info("epoch", 3)
    content = {
        "state_dict": collections.OrderedDict(WEIGHTS),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "half": torch.ones(2, dtype=torch.bfloat16),
        "args": argparse.Namespace(lr=0.1),
        "best": np.float64(0.5),
        "classes": np.array(["cat", "dog"]),
        "sizes": {torch.Size([1, 2]), (3,)},
        "bytes": b"\x00\xff",
        "where": tmp_path,
        "message_hub": hub.state_dict(),
    }
    torch.save(content, tmp_path / "run.pth")
    read = read_file(tmp_path / "run.pth")
    assert same(read["state_dict"], WEIGHTS)
    assert torch.equal(read["parameter"], torch.ones(2))
    assert read["half"].dtype == torch.bfloat16
    assert (read["bytes"], read["sizes"]) == (b"\x00\xff", {(1, 2), (3,)})
    assert read["message_hub"]["runtime_info"]["epoch"] == 3
    # the rest is there, and empty
    history = read["message_hub"]["log_scalars"]["train/loss"]
    for value in (read["args"], read["best"], read["classes"], read["where"], history):
        assert type(value) is Opaque


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path, legacy: bool) -> None:
    path, proof = tmp_path / "evil.pth", tmp_path / "ran.txt"
    content = WEIGHTS | {"x": RunsCode(proof)}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ValueError, match=r"evil\.pth holds Python objects.*can run code.*--unsafe"):
        read_file(path)
    assert not proof.exists()
    path.write_bytes(pickle.dumps(RunsCode(proof)))  # no file of torch's
    with pytest.raises(ValueError, match=r"evil\.pth"):
        read_file(path)
    assert not proof.exists()
    torch.save(content, path)
    assert same(read_file(path, unsafe=True) | {"x": WEIGHTS["b"]}, WEIGHTS | {"x": WEIGHTS["b"]})
    assert proof.read_text() == "ran"


def test_getattr_in_a_pickle_reaches_statistics_alone(tmp_path: Path) -> None:
    class Reaches:
        def __reduce__(self) -> tuple:
            return getattr, (HistoryBuffer, "__init__")

    torch.save({"x": Reaches()}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match=r"builtins\.getattr\(\.\.\., '__init__'\)"):
        read_file(tmp_path / "evil.pth")


def test_files_that_are_no_checkpoint(tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "half.pth").write_bytes(whole[: len(whole) // 2])
    values = whole.index(WEIGHTS["a.weight"].numpy().tobytes())
    (tmp_path / "hole.pth").write_bytes(whole[:values] + bytes(8) + whole[values + 8 :])
    directory = whole.rindex(b"PK\x01\x02")
    (tmp_path / "directory.pth").write_bytes(whole[:directory] + b"XXXX" + whole[directory + 4 :])
    with tarfile.open(tmp_path / "tar.pth", "w") as archive:
        archive.add(tmp_path / "whole.pth", "storages")
    (tmp_path / "page.pth").write_text("\n<!DOCTYPE html><title>404</title>")
    (tmp_path / "lfs.pth").write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "empty.pth").touch()
    (tmp_path / "noise.pth").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "half.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}")
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(tmp_path / "script.pth"))
    expected = {
        "half.pth": "half.pth is truncated or no checkpoint: ",
        "page.pth": "page.pth is a web page",
        "lfs.pth": "lfs.pth is a git-lfs pointer",
        "empty.pth": "empty.pth is empty",
        "noise.pth": "noise.pth is truncated or no checkpoint: ",
        "half.safetensors": "half.safetensors is truncated or no checkpoint: ",
        "tensor.pth": "tensor.pth is no checkpoint: it holds a Tensor",
        "script.pth": "script.pth cannot be read: it is a TorchScript archive",
        "tar.pth": "tar.pth cannot be read: it is a tar archive",
        "directory.pth": "directory.pth is truncated or no checkpoint: ",
        "hole.pth": "hole.pth is corrupt: whole/data/0 fails its checksum",
    }
    for name, message in expected.items():
        with pytest.raises(ValueError, match=message) as caught:
            read_file(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"checkpoint .*none\.pth not found"):
        read_file(tmp_path / "none.pth")
    with pytest.raises(FileNotFoundError, match=r"is a folder: expected a file, such as \w+\.pth$"):
        read_file(tmp_path)
    for name in ("DEFAULT", "seresnet50.a1_in1k"):  # of a zoo, without its scheme
        with pytest.raises(FileNotFoundError, match=f"{name} not found; known schemes are timm:"):
            read_file(name)


def test_the_hash_in_a_name_is_checked(tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / "x.pth")
    content = (tmp_path / "x.pth").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert sha256(tmp_path / "x.pth") == digest
    good = tmp_path / f"net-{digest[:8]}.pth"
    good.write_bytes(content)
    assert same(read_file(good), WEIGHTS)
    for name in ("net-abcdef01.pth", f"net-{digest[:7]}z.pth", "net-20261120.pth"):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"corrupt or truncated: .* {digest[:8]}, .* abcdef01"):
        read_file(tmp_path / "net-abcdef01.pth")
    # neither a hash nor anything but a date
    assert same(read_file(tmp_path / f"net-{digest[:7]}z.pth"), WEIGHTS)
    assert same(read_file(tmp_path / "net-20261120.pth"), WEIGHTS)
