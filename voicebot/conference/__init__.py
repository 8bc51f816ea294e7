"""Conference rooms, pure: who may join, who is heard when, what keys do, when it ends."""
