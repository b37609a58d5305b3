# ResNet-50 (Table 2).
_base_ = ["./_base_/resnet50.py", "./_base_/paper.py"]
