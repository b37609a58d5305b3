# Table 13, SE_All
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(bias=False)))
