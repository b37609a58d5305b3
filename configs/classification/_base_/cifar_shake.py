# Shake-Shake's schedule (arXiv 1705.07485) for 26 2x96d: a cosine over 1800 epochs, batch 128.
# Nesterov's momentum is that of the code it was made with.
optim_wrapper = dict(
    optimizer=dict(type="SGD", lr=0.2, momentum=0.9, nesterov=True, weight_decay=1e-4)
)
param_scheduler = [
    dict(type="CosineAnnealingLR", by_epoch=True, T_max=1800, convert_to_iter_based=True)
]
train_cfg = dict(by_epoch=True, max_epochs=1800, val_interval=10)
auto_scale_lr = dict(base_batch_size=128)
