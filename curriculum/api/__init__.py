"""The HTTP API: what the pages can do, for programs. docs/api.md says how to use it.

Operations are thin: they find the row, ask `curriculum.access`, and call the same services.
"""
