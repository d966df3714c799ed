"""What runs the batches: here and now, or dask.distributed."""
