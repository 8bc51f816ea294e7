"""The media path's shell: sockets, the 20 ms clock, one tick for all calls."""
