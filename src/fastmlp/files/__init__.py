"""Model files: what a fit has learnt, as a description in JSON beside arrays, by safetensors.

A file holds what a pickle would hold, but it can name only the classes of one fixed table
(``classes.py``), so reading a file executes nothing in it::

    model ─ states, describing ─▶ description + arrays ─ container ─▶ bytes ─ disk ─▶ file
    model ◀─ hints, restoring ── description + arrays ◀─ container ── bytes ◀─ disk ── file

``savable.py`` gives models their method ``save``, and ``loading.py`` has ``load``.
"""
