"""How a detector leaves the framework: whole, preprocessing to NMS, as one ONNX file."""
