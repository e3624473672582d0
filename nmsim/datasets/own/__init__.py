"""Samples of the user's own, from files: arrays, folders of pictures, recordings of event cameras (docs/own-data.md)."""
