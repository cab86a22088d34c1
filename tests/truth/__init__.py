"""The truth machine: random clusters, random acts, and an oracle that owes nothing to lvstui."""
