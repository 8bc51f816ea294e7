"""Behind `scripts/asterisk`: get an Asterisk, configure it from `asterisk/`, run it. Standard library only,
because it runs before the virtual environment exists.

    program   which Asterisk to run, and how
    settings  change values in a copy of the shipped configuration files
    ports     free ports, and who holds a taken one
    instance  one running Asterisk: its state folder, up, down, status, cli
    cli       the command line
"""
