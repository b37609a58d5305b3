# ResNet-164 (Table 5).
_base_ = ["./_base_/resnet164_cifar.py", "./_base_/cifar100.py", "./_base_/cifar_resnet.py"]
model = dict(head=dict(num_classes=100))
