"""A simulated PBX: Asterisk's REST interface and events, real RTP on loopback, callers, and faults on demand.

It behaves as a real Asterisk 22 was seen to behave (tests/data/ari holds what that one sent); tests/contract
runs the same scenarios against both, so that this one cannot drift.
"""

from tests.simulator.pbx.pbx import Faults, SimulatedPbx

__all__ = ["Faults", "SimulatedPbx"]
