# Wide ResNet's schedule (arXiv 1605.07146). Its own crops reflect the image at its border; the
# SE paper's are padded by zeros.
optim_wrapper = dict(
    optimizer=dict(type="SGD", lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[60, 120, 160], gamma=0.2)]
train_cfg = dict(by_epoch=True, max_epochs=200, val_interval=1)
auto_scale_lr = dict(base_batch_size=128)
