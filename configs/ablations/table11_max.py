# Table 11, Max
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(squeeze="max", bias=False)))
