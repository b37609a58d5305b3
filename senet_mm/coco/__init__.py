"""COCO's numbers from files and arrays; knows neither SE nor mmengine."""
