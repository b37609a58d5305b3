# The recipe of the ablations (section 6) by the fixed schedule of its footnote: 270 epochs, lr 0.1,
# a tenth of it at 125, 200 and 250, with label smoothing, on one machine of 8 GPUs. Batch 256 and
# the weight decay are our choice.
_base_ = "./imagenet.py"
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[125, 200, 250], gamma=0.1)]
train_cfg = dict(by_epoch=True, max_epochs=270, val_interval=1)
auto_scale_lr = dict(base_batch_size=256)
