"""The REST interface, a module an area: everything that pages, the command line and machines use."""
