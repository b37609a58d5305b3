# Wide ResNet 16-8 (Table 4).
_base_ = ["./_base_/wrn16_8_cifar.py", "./_base_/cifar10.py", "./_base_/cifar_wrn.py"]
