# The recipe of Table 2 (section 5.1): batch 1024, lr 0.6, a tenth of it every 30 epochs, 100 epochs
# from scratch. The weight decay is not printed; 1e-4 is ResNet's.
_base_ = "./imagenet.py"
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.6, momentum=0.9, weight_decay=1e-4))
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[30, 60, 90], gamma=0.1)]
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
auto_scale_lr = dict(base_batch_size=1024)
