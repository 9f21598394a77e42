"""What the benchmarks compare: libraries that train or run the same networks.

``registered`` lists them; each runs in a process of its own (``processes``), so that one library's
thread pool and environment stay out of another's way, and imports its library there and nowhere
else.
"""

from candidates.processes import PeerProcess
from candidates.registered import PEERS, PREDICTORS, TRAINERS, Registration

__all__ = ["PEERS", "PREDICTORS", "TRAINERS", "PeerProcess", "Registration"]
