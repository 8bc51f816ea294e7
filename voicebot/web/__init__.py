"""The panel: a web page and a REST interface on what the gateway does right now."""
