# ResNet-110's and -164's schedule (arXiv 1603.05027): lr 0.1, a tenth of it for the first 400
# iterations and from the 32,000th, a hundredth from the 48,000th to the 64,000th, which are 164
# epochs of batches of 128.
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type="ConstantLR", by_epoch=False, begin=0, end=401, factor=0.1),  # it ends one before
    dict(type="MultiStepLR", by_epoch=False, milestones=[32000, 48000], gamma=0.1),
]
train_cfg = dict(by_epoch=True, max_epochs=164, val_interval=1)
auto_scale_lr = dict(base_batch_size=128)
