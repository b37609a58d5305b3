# Table 14, SE-Identity
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(placement="identity", bias=False)))
