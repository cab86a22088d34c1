"""Changes to a configuration, made through its tree: they touch only what they must."""
