# Table 13, SE_Stage_4
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=[None, None, dict(bias=False), None]))
