# Wide ResNet 16-8 (Table 5).
_base_ = ["./_base_/wrn16_8_cifar.py", "./_base_/cifar100.py", "./_base_/cifar_wrn.py"]
model = dict(head=dict(num_classes=100))
