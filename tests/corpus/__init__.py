"""A corpus of answers as models write them, with every drift that was seen, and what each of them means.

The generator starts from the meant calls and writes the drifted text, so what is expected is known by construction.
`make corpus` reads all of it and writes the results into docs/tool-calling.md; see `tests.corpus.report`.
"""
