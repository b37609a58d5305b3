# Table 11, Avg
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(squeeze="avg", bias=False)))
