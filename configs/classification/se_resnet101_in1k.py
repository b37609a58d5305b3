# SE-ResNet-101 (Table 2).
_base_ = "./resnet101_in1k.py"
model = dict(backbone=dict(type="mmdet.SEResNet", se_cfg=dict(reduction=16)))
