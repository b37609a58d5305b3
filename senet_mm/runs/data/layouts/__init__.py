"""Data as people have it: folders as of COCO, YOLO and PASCAL VOC, all read as COCO files."""
