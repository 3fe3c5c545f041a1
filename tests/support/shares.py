"""How the tests are shared between processes, when pytest runs them in several (`-n 3`)."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

#: Their proxies are started once and serve every file, so one process has them all.
_SHARES = {
    "end to end": ("tests/end_to_end/",),
    "proxies": ("tests/proxy/",),
    "made run": (
        "tests/documents/test_compatibility.py",
        "tests/documents/test_tool_calling.py",
        "tests/test_documents.py",
        "tests/test_examples.py",
    ),
}


class Shares(LoadFileScheduling):  # type: ignore[misc]
    """Each process takes one file, or one of the shares above, after the other.

    In the order of collection: the folders with tests that start programs come before the files without, which are
    many and quick, so that no process ends long after the others.
    """

    def schedule(self) -> None:
        """Hand out what is next; the order would otherwise be by the number of tests."""
        self.config.option.loadscopereorder = False
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        """The name of the share in which a test is."""
        shared = (name for name, places in _SHARES.items() if nodeid.startswith(places))
        return next(shared, str(super()._split_scope(nodeid)))
