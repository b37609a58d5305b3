# Table 14, SE-PRE
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(placement="pre", bias=False)))
