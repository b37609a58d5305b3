"""A run of mmengine: its config, its data, what is checked before it, its work dir."""
