# SE-ResNet-50 (Table 2).
_base_ = "./resnet50_in1k.py"
model = dict(backbone=dict(type="mmdet.SEResNet", se_cfg=dict(reduction=16)))
