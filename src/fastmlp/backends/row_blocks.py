"""How many rows of a gradient a backend takes through its scratch memory at once."""

from __future__ import annotations

from fastmlp.plan.layout import Plan, batch_norms

__all__ = ["ROW_UNIT", "rows_to_bind"]

#: Blocks end where the random bits of eight rows do.
ROW_UNIT = 8

#: Values that a block's rows take in the scratch memory, 2 MiB of float32: two threads keep them
#: in caches of their own, and what is paid once a block (barriers, sums as long as the parameters)
#: is little beside the products.
_BLOCK_VALUES = 1 << 19

#: Rows that wide networks take at least, whose parameters don't stay in a cache from one block to
#: the next.
_FEWEST_ROWS = 512


def rows_to_bind(plan: Plan, n_rows: int) -> int:
    """Return for how many rows to bind an executor that is asked for gradients of ``n_rows``.

    They are a multiple of ``ROW_UNIT``, or all. Blocks have nearly the same length, by the plan and
    the number of rows alone, since sums follow them. Batch norm needs all rows at once.
    """
    if batch_norms(plan).any():
        return n_rows
    values = plan.n_members * int(plan.layers["fan_in"].sum() + plan.layers["fan_out"].sum())
    most = max(_FEWEST_ROWS // plan.n_members, _BLOCK_VALUES // values, ROW_UNIT)
    n_blocks = -(-n_rows // most)
    length = -(-n_rows // n_blocks)
    return min(n_rows, -(-length // ROW_UNIT) * ROW_UNIT)
