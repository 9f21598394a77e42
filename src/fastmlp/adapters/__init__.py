"""Models with the interfaces of other libraries, one module for each library.

Each module needs its library, which fastmlp does not install.
"""
