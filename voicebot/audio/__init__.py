"""Samples: G.711, resampling, wav files, levels, playout. No I/O but reading and writing given bytes."""
