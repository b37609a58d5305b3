# SE-ResNet-152 (Table 2).
_base_ = "./resnet152_in1k.py"
model = dict(backbone=dict(type="mmdet.SEResNet", se_cfg=dict(reduction=16)))
