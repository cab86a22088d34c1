"""Tests of what people look at: real screens over pictures made by hand."""
