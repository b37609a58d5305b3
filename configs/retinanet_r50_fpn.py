# RetinaNet with ResNet-50 and FPN, 2x schedule.
_base_ = [
    "mmdet::_base_/models/retinanet_r50_fpn.py",
    "mmdet::_base_/datasets/coco_detection.py",
    "mmdet::_base_/schedules/schedule_2x.py",
    "mmdet::_base_/default_runtime.py",
]
custom_imports = dict(imports=["senet_mm"], allow_failed_imports=False)
optim_wrapper = dict(optimizer=dict(lr=0.01))
