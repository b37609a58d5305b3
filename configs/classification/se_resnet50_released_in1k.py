# SE-ResNet-50 in the recipe of the released models.
_base_ = "./resnet50_released_in1k.py"
model = dict(backbone=dict(type="mmdet.SEResNet", se_cfg=dict(reduction=16)))
