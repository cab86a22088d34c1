"""The Failover screen: VRRP instances of this director, and what happened to them."""
