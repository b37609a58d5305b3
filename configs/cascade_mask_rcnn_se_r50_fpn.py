_base_ = "./cascade_mask_rcnn_r50_fpn.py"
# weights: --cfg-options model.backbone.init_cfg.type=Pretrained
#          model.backbone.init_cfg.checkpoint=PATH
model = dict(
    backbone=dict(type="SEResNet", se_cfg=dict(reduction=16), init_cfg=dict(_delete_=True))
)
