"""The configuration of keepalived: read without losing a byte, and understood.

Nothing here knows a screen. The nesting, the defaults and the inheritance are those of keepalived
2.2.7 to 2.4.3, taken from its source and checked against its own test mode.

`text` is the tree of its bytes, `meaning.view` reads a file (or the copy of a running daemon) and
tells what it means, `lint` judges it, `edit` changes it, `diff` compares two.
"""
