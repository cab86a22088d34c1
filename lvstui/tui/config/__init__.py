"""The Config screen: keepalived.conf as an outline and as text, edited into a draft."""
