"""Changes to a configuration, made through its tree: they touch only what they must.

`draft.Draft` holds what is being changed, `intent` has one small class for each thing that can be
wanted, `carry.carry` takes text changed by hand to the other director, `judge` says what is wrong
with a form.
"""
