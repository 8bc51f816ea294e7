"""The panel and the REST interface."""
