# Table 10, ratio r = 2 (trained without biases, as all of section 6)
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=dict(reduction=2, bias=False)))
