# Table 12, ReLU
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(gate="relu", bias=False)))
