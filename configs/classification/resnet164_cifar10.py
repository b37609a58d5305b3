# ResNet-164 (Table 4).
_base_ = ["./_base_/resnet164_cifar.py", "./_base_/cifar10.py", "./_base_/cifar_resnet.py"]
