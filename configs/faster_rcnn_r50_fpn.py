# Faster R-CNN with ResNet-50 and FPN, 2x schedule (Table 7).
# The paper's detection protocol (section 5.3, Table 7): Faster R-CNN with FPN, train2017, val2017,
# Detectron's 2x schedule (24 epochs, lr 0.02 at batch 16, steps at 16 and 22), 1333x800, flip.
# For either twin of a pair, --cfg-options efficient_conv_bn_eval=backbone folds fixed batch norm
# into the convolutions (mmengine's; docs/performance.md says when it pays).
_base_ = [
    "mmdet::_base_/models/faster-rcnn_r50_fpn.py",
    "mmdet::_base_/datasets/coco_detection.py",
    "mmdet::_base_/schedules/schedule_2x.py",
    "mmdet::_base_/default_runtime.py",
]
custom_imports = dict(imports=["senet_mm"], allow_failed_imports=False)
