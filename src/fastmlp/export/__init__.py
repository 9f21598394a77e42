"""What a fitted model computes, as a list of simple steps, and files that are made of it.

A :class:`~fastmlp.export.program.Program` has everything that a prediction needs, and nothing
about how it was learnt. The estimators make one of what they have learnt; ``c/`` writes it as C.
"""
