"""`python -m benchmarks`: prints every table."""

from __future__ import annotations

from benchmarks import proxy, reading, tools


def main() -> None:
    """Measure and print."""
    print("## Reading answers\n")
    print(reading.table())
    print("\n## Tools\n")
    print(tools.table())
    print("\n## Proxy\n")
    print(proxy.table())


if __name__ == "__main__":
    main()
