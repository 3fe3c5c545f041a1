"""`python -m benchmarks`: prints every table."""

from __future__ import annotations

from benchmarks import parser, proxy, tools


def main() -> None:
    """Measure and print."""
    print("## Parser\n")
    print(parser.table())
    print("\n## Tools\n")
    print(tools.table())
    print("\n## Proxy\n")
    print(proxy.table())


if __name__ == "__main__":
    main()
