"""Faults and load: what a client sees when the service, the network, Redis or the proxy itself fails.

python -m tests.reliability faults   # make faults: writes the tables of docs/reliability.md
python -m tests.reliability soak     # make soak: ten minutes of mixed load
"""
