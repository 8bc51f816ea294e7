"""The panel as a browser or an attacker meets it, over real sockets on loopback."""
