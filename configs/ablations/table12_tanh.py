# Table 12, Tanh
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(gate="tanh", bias=False)))
