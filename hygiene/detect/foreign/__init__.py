"""Other scanners' baselines and ignore files, one file each."""
