# Table 13, SE_Stage_3
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=[None, dict(bias=False), None, None]))
