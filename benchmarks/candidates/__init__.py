"""What the benchmarks compare: libraries that train or run the same networks.

``registered`` lists them; each runs in a process of its own (``processes``), so that one library's
thread pool and environment stay out of another's way, and imports its library there and nowhere
else.
"""

from candidates.processes import PeerProcess, open_peers
from candidates.registered import PEERS, PREDICTORS, TRAINERS

__all__ = ["PEERS", "PREDICTORS", "TRAINERS", "PeerProcess", "open_peers"]
