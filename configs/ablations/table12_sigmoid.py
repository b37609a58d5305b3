# Table 12, Sigmoid
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(gate="sigmoid", bias=False)))
