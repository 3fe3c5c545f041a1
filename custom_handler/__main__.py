"""`python -m custom_handler check`: the settings, a sign-in, and with `--agents` one short question to each model."""

from __future__ import annotations

import argparse
import sys

from custom_handler.check import check


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 when everything is in order, 1 when something failed, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m custom_handler")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("check", help="print every setting and where it came from, and sign in")
    command.add_argument("--agents", action="store_true", help="also ask each model of the config one short question")
    command.add_argument("--config", default="config.yaml", help="the proxy's configuration (default: config.yaml)")
    options = parser.parse_args(arguments)
    return check(config_path=options.config, ask_agents=options.agents)


if __name__ == "__main__":
    sys.exit(main())
