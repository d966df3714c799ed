"""Many repositories: their inventory, where they are listed, and the engine that scans them."""
