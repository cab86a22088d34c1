"""What this kernel says and takes. Used by sources and by operations."""
