# Table 16, NoSqueeze
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(squeeze="none", bias=False)))
