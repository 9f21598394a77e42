"""Which kernels NumPy's BLAS runs."""

from __future__ import annotations

from threadpoolctl import threadpool_info

__all__ = ["blas_kernels"]


def blas_kernels() -> str:
    """Return library, kernels and threads of the BLAS in this process."""
    pools = [
        f"{pool['internal_api']} {pool.get('architecture', '')} × {pool['num_threads']}"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]
    return ", ".join(dict.fromkeys(pools))  # NumPy's and SciPy's, once when they are alike
