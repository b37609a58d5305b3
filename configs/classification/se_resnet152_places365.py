# SE-ResNet-152 on Places365 (Table 6).
_base_ = "./resnet152_places365.py"
model = dict(backbone=dict(type="mmdet.SEResNet", se_cfg=dict(reduction=16)))
