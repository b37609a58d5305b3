"""senet-mm push."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from senet_mm.cli.push import main

pytest.importorskip("huggingface_hub")


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "net.py").write_text(
        "model = dict(type='FasterRCNN', backbone=dict(type='ResNet'))\n"
    )
    for epoch in (1, 2):
        meta = dict(epoch=epoch, iter=epoch)
        parts = dict(message_hub={}, optimizer={}, meta=meta)
        torch.save(
            dict(parts, state_dict={"x": torch.full((1,), float(epoch))}),
            folder / f"epoch_{epoch}.pth",
        )
    (folder / "last_checkpoint").write_text("epoch_2.pth")
    return folder


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["{dir}"], 2),
        (["{dir}", "--checkpoint", "{dir}/epoch_1.pth"], 1),
        (["{dir}/net.py,{dir}/epoch_1.pth"], 1),
    ],
)
def test_dry_run(arguments: list[str], value: float, work_dir: Path, capsys) -> None:
    run, *others = [argument.format(dir=work_dir) for argument in arguments]
    out = work_dir.parent / "out"
    main([run, "me/net", *others, "--license", "mit", "--dry-run", str(out)])
    assert f"Written: {out / 'model.pth'} (" in capsys.readouterr().out
    weights = torch.load(out / "model.pth", weights_only=True)["state_dict"]
    assert weights["x"].item() == value
    assert "license: mit" in (out / "README.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{dir}", "net"], "repository 'net': expected OWNER/REPO"),
        (["{dir}/none", "me/net"], "none is no work dir"),
        (["{dir}", "me/net", "--dry-run", "{dir}"], "is there already"),
        (["{dir}", "me/net", "--checkpoint", "{dir}/best.pth", "--dry-run", "x"], "best.pth not f"),
    ],
)
def test_bad_input(arguments: list[str], message: str, work_dir: Path) -> None:
    with pytest.raises((ValueError, OSError), match=message):
        main([argument.format(dir=work_dir) for argument in arguments])
