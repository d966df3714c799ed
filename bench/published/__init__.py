"""What is found of the examples that authors of scanners publish, of our own making and of theirs."""
