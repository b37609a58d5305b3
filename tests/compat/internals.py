"""The list: what the package touches of the internals of mmdet, mmengine, torch and others.

Private names, names that we override or replace, and signatures that we call by position.
"""

import torch
from mmengine.utils import digit_version

OLD_TORCH = digit_version(torch.__version__) < digit_version("2.2")

# what is called or overridden, and the parameters that it begins with; others must have defaults
CALLABLES = {
    "mmdet.apis.DetInferencer._load_weights_to_model": "self, model, checkpoint, cfg",
    "mmdet.apis.DetInferencer._init_pipeline": "self, cfg",
    "mmdet.apis.DetInferencer.pred2dict": "self, data_sample, pred_out_dir",
    "mmdet.apis.DetInferencer": "model, weights, device, scope, palette",
    "mmdet.models.backbones.resnet.Bottleneck.forward_plugin": "self, x, plugin_names",
    "mmdet.models.backbones.resnet.Bottleneck.make_block_plugins": "self, in_channels, plugins",
    "mmdet.models.backbones.resnet.ResNet.make_res_layer": "self, kwargs",
    "mmdet.models.backbones.resnext.Bottleneck._del_block_plugins": "self, plugin_names",
    "mmdet.models.dense_heads.RPNHead._bbox_post_process": "self, results, cfg",
    "mmdet.models.dense_heads.RPNHead._predict_by_feat_single": "self, cls_score_list, "
    "bbox_pred_list, score_factor_list, mlvl_priors, img_meta, cfg",
    "mmdet.models.dense_heads.base_dense_head.BaseDenseHead._bbox_post_process": "self, results, "
    "cfg",
    "mmdet.models.dense_heads.base_dense_head.BaseDenseHead._predict_by_feat_single": "self, "
    "cls_score_list, bbox_pred_list, score_factor_list, mlvl_priors, img_meta, cfg",
    "mmdet.models.roi_heads.CascadeRoIHead._bbox_forward": "self, stage, x, rois",
    "mmdet.models.roi_heads.CascadeRoIHead._mask_forward": "self, stage, x, rois",
    "mmdet.models.roi_heads.StandardRoIHead._bbox_forward": "self, x, rois",
    "mmdet.models.roi_heads.StandardRoIHead._mask_forward": "self, x",
    "mmdet.models.roi_heads.bbox_heads.BBoxHead._predict_by_feat_single": "self, roi, cls_score, "
    "bbox_pred, img_meta",
    "mmdet.models.roi_heads.mask_heads.FCNMaskHead._predict_by_feat_single": "self, mask_preds, "
    "bboxes, labels, img_meta, rcnn_test_cfg",
    "mmdet.visualization.get_palette": "palette, num_classes",
    "mmengine.config.Config._file2dict": "filename",
    "mmengine.config.Config._get_base_files": "filename",
    "mmengine.config.Config._get_cfg_path": "cfg_path, filename",
    "mmengine.hooks.CheckpointHook._save_checkpoint_with_step": "self, runner, step, meta",
    "mmengine.hooks.Hook.after_load_checkpoint": "self, runner, checkpoint",
    "mmengine.hooks.Hook.after_test_iter": "self, runner, batch_idx, data_batch, outputs",
    "mmengine.hooks.Hook.before_train": "self, runner",
    "mmengine.hub.hub.get_config": "cfg_path, pretrained",
    "mmengine.infer.BaseInferencer._load_model_from_metafile": "self, model",
    "mmengine.model.BaseModule._dump_init_info": "self",
    "mmengine.model.efficient_conv_bn_eval.turn_on_efficient_conv_bn_eval": "model, modules",
    "mmengine.model.update_init_info": "module, init_info",
    "mmengine.registry.DefaultScope.overwrite_default_scope": "scope_name",
    "mmengine.runner.EpochBasedTrainLoop._decide_current_val_interval": "self",
    "mmengine.runner.IterBasedTrainLoop._decide_current_val_interval": "self",
    "mmengine.runner.checkpoint.CheckpointLoader.register_scheme": "prefixes",
    "mmengine.runner.checkpoint.get_deprecated_model_names": "",
    "mmengine.runner.checkpoint.get_external_models": "",
    "mmengine.runner.checkpoint.get_mmcls_models": "",
    "mmengine.runner.checkpoint.get_torchvision_models": "",
    "torch._utils._rebuild_tensor": "storage, storage_offset, size, stride",
    "torch.hub.download_url_to_file": "url, dst",
    "torch.multiprocessing.reductions.StorageWeakRef": "storage",
    "torch.utils._python_dispatch.TorchDispatchMode.__torch_dispatch__": "self, func, types, args",
    "torch.utils._pytree.tree_flatten": "pytree" if OLD_TORCH else "tree",
}
# what a pickle of tensors names: the positions of what we read, and what we ignore
PICKLED = {
    "_rebuild_tensor_v2": "storage, storage_offset, size, stride, requires_grad, backward_hooks",
    "_rebuild_parameter": "data, requires_grad, backward_hooks",
}
# options that we give by name
OPTIONS = {
    "mmdet.evaluation.CocoMetric": "ann_file, format_only, outfile_prefix",
    "mmdet.evaluation.DumpDetResults": "out_file_path",
    "mmdet.models.backbones.resnet.ResNet": "depth, num_stages, strides, dilations, out_indices, "
    "style, deep_stem, avg_down, frozen_stages, norm_cfg, norm_eval, dcn, stage_with_dcn, plugins, "
    "with_cp, zero_init_residual, pretrained, init_cfg",
    "torch.load": "map_location, pickle_module, weights_only",
    "torch.utils.flop_counter.FlopCounterMode": "display",
}
OPERATORS = {
    "aten.bmm": "self, mat2",
    "aten.convolution_backward": "grad_output, input, weight, bias_sizes, stride, padding, "
    "dilation, transposed, output_padding, groups, output_mask",
    "aten._batch_norm_impl_index": "input, weight, bias, running_mean, running_var, training, "
    "momentum, eps, cudnn_enabled",
    "aten.native_batch_norm_backward": "grad_out, input, weight, running_mean, running_var, "
    "save_mean, save_invstd, train, eps, output_mask",
    "aten.sigmoid_backward": "grad_output, output",
    "aten.tanh_backward": "grad_output, output",
    "aten.threshold_backward": "grad_output, self, threshold",
    "torchvision._deform_conv2d_backward": "grad, input, weight, offset, mask, bias, stride_h, "
    "stride_w, pad_h, pad_w, dilation_h, dilation_w, groups, offset_groups, use_mask",
    "torchvision._roi_align_backward": "grad, rois, spatial_scale, pooled_height, pooled_width, "
    "batch_size, channels, height, width, sampling_ratio, aligned",
    "torchvision._roi_pool_backward": "grad, rois, argmax, spatial_scale, pooled_height, "
    "pooled_width, batch_size, channels, height, width",
    "torchvision.deform_conv2d": "input, weight, offset, mask, bias, stride_h, stride_w, pad_h, "
    "pad_w, dilation_h, dilation_w, groups, offset_groups, use_mask",
    "torchvision.nms": "dets, scores, iou_threshold",
    "torchvision.roi_align": "input, rois, spatial_scale, pooled_height, pooled_width, "
    "sampling_ratio, aligned",
    "torchvision.roi_pool": "input, rois, spatial_scale, pooled_height, pooled_width",
}
# what objects have that a test makes, by kind
ATTRIBUTES = {
    "runner": "_load_from _has_loaded _resume _randomness_cfg _train_loop _val_loop",
    "loaders_iterator": "_shutdown_workers",
    "hooks_of_all_modules": "_global_forward_hooks _global_forward_pre_hooks "
    "_global_backward_hooks _global_backward_pre_hooks",
    "module": "_forward_hooks _forward_pre_hooks _backward_hooks _backward_pre_hooks _modules "
    "_parameters _buffers _non_persistent_buffers_set _state_dict_hooks "
    "_load_state_dict_pre_hooks",
    "tensor": "_base",
    "storage": "_cdata",
    "resizing": "_input_size",
    "resnet": "arch_settings res_layers block inplanes maxpool zero_init_residual frozen_stages "
    "norm_eval norm_cfg conv_cfg avg_down base_channels out_indices",
    "basic_block": "conv1 conv2 norm1 norm2 relu downsample with_cp expansion",
    "bottleneck": "conv1 conv2 conv3 norm1 norm2 norm3 norm1_name relu downsample with_cp "
    "expansion inplanes conv1_stride conv2_stride dilation dcn norm_cfg conv_cfg with_plugins "
    "after_conv1_plugins after_conv1_plugin_names after_conv3_plugin_names",
    "fpn": "in_channels out_channels num_outs start_level backbone_end_level lateral_convs",
    "flop_counter": "get_total_flops",
    "preprocessor": "_channel_conversion pad_size_divisor pad_value mean std",
    "visualizer": "_vis_backends",
    "coco": "dataset createIndex",
    "coco_params": "iouThrs recThrs areaRng areaRngLbl",
}
# modules and classes that the names above stand in, or that are asserted by a test of their own
OTHERS = {
    *("_BatchNorm", "_C", "_dynamo", "_ext", "_params_init_info", "_rebuild_tensor_v3"),
    *("_are_functorch_transforms_active", "_current_level"),
    "_efficientnet_blocks",  # tests/gates/test_foreign.py
    *("_base_", "_delete_", "_scope_", "_dataloader", "_evaluator"),  # of configs
}
