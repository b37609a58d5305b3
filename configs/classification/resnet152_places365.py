# ResNet-152 on Places365 (Table 6).
_base_ = ["./_base_/resnet50.py", "./_base_/places365.py"]
model = dict(backbone=dict(depth=152), head=dict(num_classes=365))
