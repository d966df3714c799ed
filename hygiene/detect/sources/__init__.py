"""Where blobs come from: one file a source."""
