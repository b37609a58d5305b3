# The ablations' common base: nobody has released weights of these nets. Give yours by --cfg-options
# model.backbone.init_cfg.type=Pretrained model.backbone.init_cfg.checkpoint=PATH
_base_ = "../faster_rcnn_se_r50_fpn.py"
model = dict(backbone=dict(init_cfg=dict(_delete_=True)))
