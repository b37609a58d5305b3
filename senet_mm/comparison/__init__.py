"""Is one detector better than another?"""
