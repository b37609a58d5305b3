# FCN with SE-ResNet-18 at stride 8.
_base_ = "./fcn_r18_d8_shapes.py"
model = dict(backbone=dict(type="mmdet.SEResNet", se_cfg=dict(reduction=16)))
