"""The Real servers screen: each host against what a real server has to be."""
