"""Fits on many machines, by Dask."""
