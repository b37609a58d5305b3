# The recipe of SENet-154 (appendix): batch 2048 on 64 GPUs, lr 1.0, label smoothing (in the model).
# The steps are those of Table 2; neither they nor the weight decay are printed. Batch norm is not
# frozen in the last epochs, as it was there.
_base_ = "./imagenet.py"
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(type="SGD", lr=1.0, momentum=0.9, weight_decay=1e-4))
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[30, 60, 90], gamma=0.1)]
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
auto_scale_lr = dict(base_batch_size=2048)
