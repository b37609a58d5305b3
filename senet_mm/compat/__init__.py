"""What makes senet_mm run on the OpenMMLab stacks people have."""
