_base_ = "./mask_rcnn_r18_fpn_shapes.py"
model = dict(backbone=dict(type="SEResNet", se_cfg=dict(reduction=16)))
