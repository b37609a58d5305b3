# Table 15, SE_3x3
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(placement="conv2", bias=False)))
