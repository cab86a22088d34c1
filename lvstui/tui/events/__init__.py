"""The Events screen: what happened, newest last."""
