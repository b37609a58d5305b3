"""What a resumed run is told of options that have changed."""

from __future__ import annotations

import re

import pytest
from mmengine.config import Config

from senet_mm.runs.training.config_changes import changes

BEFORE = dict(
    model=dict(backbone=dict(depth=18, init_cfg=dict(checkpoint="a")), classes=("a", "b")),
    train_cfg=dict(type="EpochBasedTrainLoop", max_epochs=2, val_interval=1),
    train_dataloader=dict(batch_size=2, num_workers=1, dataset=dict(data_root="a/")),
    optim_wrapper=dict(
        type="OptimWrapper", optimizer=dict(type="SGD", lr=0.02)
    ),
    param_scheduler=[dict(type="LinearLR", end=500), dict(type="MultiStepLR", milestones=[8, 11])],
    work_dir="a",
    max_epochs=2,
)  # fmt: skip
CASES = {
    "optim_wrapper.optimizer.lr=0.1": r"optimizer\.lr was 0\.02 and is 0\.1: has no effect",
    "optim_wrapper.optimizer.momentum=0.9": r"momentum was not set and is 0\.9: has no effect",
    "optim_wrapper.optimizer.type='AdamW'": r"type was 'SGD' and is 'AdamW': cannot change",
    "optim_wrapper.clip_grad={'max_norm': 1}": r"max_norm was not set and is 1: takes effect",
    "optim_wrapper.paramwise_cfg={'bias_lr_mult': 2}": r"bias_lr_mult .*: cannot change",
    "param_scheduler=[]": r"0\.type was 'LinearLR' and is not set: cannot .*1\.type .*: cannot",
    "param_scheduler.0.end=9": r"param_scheduler\.0\.end was 500 and is 9: has no effect",
    "param_scheduler.1.milestones=[1]": r"was \[8, 11\] and is \[1\]: has no effect",
    "train_cfg.max_epochs=9": r"max_epochs was 2 and is 9: takes effect; the schedule .* stays",
    "train_cfg.type='IterBasedTrainLoop'": r"train_cfg\.type .*: cannot change",
    "train_dataloader.batch_size=4": r"was 2 and is 4: takes effect; learning rate and schedule",
    "train_dataloader.num_workers=4": "",
    "train_dataloader.dataset.data_root='b/'": r"data_root was 'a/' and is 'b/': takes effect",
    "model.backbone.depth=34": r"depth was 18 and is 34: takes effect",
    "model.backbone.init_cfg.checkpoint='b'": r"has no effect: the weights are the checkpoint's",
    "model.classes=['a', 'b']": "",
    "randomness={'seed': 7}": r"seed was not set and is 7: has no effect",
    "work_dir='b'": "",
    "max_epochs=9": "",
}


@pytest.mark.parametrize("option", CASES)
def test_changes(option: str) -> None:
    key, _, value = option.partition("=")
    now = Config(BEFORE)
    now.merge_from_dict({key: eval(value)})
    found = changes(Config(BEFORE).pretty_text, now.pretty_text)
    said = "; ".join(map(str, found))
    assert re.search(CASES[option], said) if CASES[option] else not found
    assert any(change.refused for change in found) == ("cannot change" in said)


def test_nothing_changed_and_nothing_runs() -> None:
    text = Config(BEFORE).pretty_text
    assert changes(text, text) == []
    run = "model = __import__('os').abort()\n"
    assert changes(run, run) == []
    with pytest.raises(SyntaxError):
        changes("no config", text)
