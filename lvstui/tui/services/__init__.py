"""The Services screen: virtual services, their real servers, and what can be done to them."""
