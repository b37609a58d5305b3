# ResNet-50 in the recipe of the released models.
_base_ = ["./_base_/resnet50.py", "./_base_/released.py"]
