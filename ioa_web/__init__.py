"""The fuse box: how the app is wired and started. No word of the domain."""
