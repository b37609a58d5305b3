# ResNet-110 of Tables 4 and 5 on real digits: a training that a CPU does in minutes.
_base_ = ["./_base_/resnet110_cifar.py", "./_base_/digits.py"]
