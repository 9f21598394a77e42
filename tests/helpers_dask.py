"""A cluster of real processes for tests, and the data that they share."""

from __future__ import annotations

import logging
from contextlib import contextmanager

import dask
from dask.distributed import Client, LocalCluster


@contextmanager
def cluster_of(n_workers=2, **options):
    """Yield the client of a cluster of so many processes of a thread each.

    Dask drops a worker for good that has not started again within 15 s, which is too short for a
    slow machine that imports all packages.
    """
    given = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "300s"}),
        LocalCluster(
            n_workers=n_workers, **{**given, **options}, silence_logs=logging.CRITICAL
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(n_workers, timeout=120)
        yield client


class Most:
    """Says that so many rows are drawn, to workers too, which can't import this file."""

    def __init__(self, most):
        self.most = most

    def __call__(self, n_columns):
        return self.most
