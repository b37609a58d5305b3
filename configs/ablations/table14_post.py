# Table 14, SE-POST
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(placement="post", bias=False)))
