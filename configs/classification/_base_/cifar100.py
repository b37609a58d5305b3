# As CIFAR-10, with the mean and deviation of its own images.
_base_ = "./cifar10.py"
data_preprocessor = dict(num_classes=100, mean=[129.3, 124.1, 112.4], std=[68.2, 65.4, 70.4])
train_pipeline = [
    dict(type="RandomCrop", crop_size=32, padding=4, pad_val=(129, 124, 112)),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(type="CIFAR100", data_root="data/cifar100", pipeline=train_pipeline)
)
val_dataloader = dict(dataset=dict(type="CIFAR100", data_root="data/cifar100"))
test_dataloader = val_dataloader
