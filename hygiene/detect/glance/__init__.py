"""A glance at what is staged, which settles most commits: nothing there can be a credential.

A commit's hook should cost no more than git itself. Python's start, the import of ``typing``, ``re``, ``pathlib`` and
``subprocess``, and the rules with their descriptions take several times as long as the scan. So these modules import
nothing that Python has not loaded already, read only the compiled database, and answer one question. Whatever is
unusual, or matches, is looked at again by the ordinary scan, which alone finds, words and excuses things.
"""
