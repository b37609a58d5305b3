# ResNet-152 (Table 2).
_base_ = "./resnet50_in1k.py"
model = dict(backbone=dict(depth=152))
