_base_ = ["./_base_/wrn16_8_cifar.py", "./_base_/cifar10.py", "./_base_/cifar_wrn.py"]
