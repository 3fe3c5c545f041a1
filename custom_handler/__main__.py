"""What an operator runs beside the proxy: `python -m custom_handler check`, and `… keys new` for a client's key."""

from __future__ import annotations

import argparse
import sys

from custom_handler import new_key
from custom_handler.check import check


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 when everything is in order, 1 when something failed, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m custom_handler")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("check", help="print every setting and where it came from, and sign in")
    command.add_argument("--agents", action="store_true", help="also ask each model of the config one short question")
    command.add_argument("--config", default="config.yaml", help="the proxy's configuration (default: config.yaml)")
    of_keys = commands.add_parser("keys", help="keys of clients").add_subparsers(dest="keys_command", required=True)
    new = of_keys.add_parser("new", help="print a new key, and its entry for the list of keys")
    new.add_argument("--name", required=True, help="whose it is")
    new.add_argument("--models", nargs="+", metavar="MODEL", help="what it may use (default: all)")
    new.add_argument("--rpm", help="requests a minute (default: any number)")
    new.add_argument("--expires", metavar="DATE", help="its last day (UTC), or a time (default: never)")
    new.add_argument("--admin", action="store_true", help="it may also read /metrics and /health")
    options = parser.parse_args(arguments)
    if options.command == "keys":
        return new_key.new(options.name, options.models, options.rpm, options.expires, admin=options.admin)
    return check(config_path=options.config, ask_agents=options.agents)


if __name__ == "__main__":
    sys.exit(main())
