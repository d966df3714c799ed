"""How a value can be written other than plainly: one module a kind, each from hits of the prefilter to decoded text."""
