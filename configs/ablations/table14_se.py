# Table 14, SE
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(placement="standard", bias=False)))
