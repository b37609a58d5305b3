_base_ = ["./_base_/resnet50.py", "./_base_/paper.py"]
