# Table 13, SE_Stage_2: paper stage N is layer N-1
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=[dict(bias=False), None, None, None]))
