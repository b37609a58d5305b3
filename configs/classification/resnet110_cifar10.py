# ResNet-110 (Table 4).
_base_ = ["./_base_/resnet110_cifar.py", "./_base_/cifar10.py", "./_base_/cifar_resnet.py"]
