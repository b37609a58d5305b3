# SE-ResNeXt-50 32x4d (Table 2).
_base_ = "./resnext50_32x4d_in1k.py"
model = dict(backbone=dict(type="mmdet.SEResNeXt", se_cfg=dict(reduction=16)))
