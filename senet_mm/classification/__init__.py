"""Numbers of classifiers from arrays; knows neither SE nor mmengine."""
