"""Models under the interfaces of other libraries, each in a module of its own.

A module needs its library, which fastmlp does not install.
"""
