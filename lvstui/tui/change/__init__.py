"""The dialogs in which a change is seen, confirmed and followed."""
