"""Programs of Debian's for tests and the demo, unpacked into a folder of ours where the machine has none.

faults     what went wrong, and how to mend it
unpacking  packages and their libraries, without root
chromium   a browser
"""
