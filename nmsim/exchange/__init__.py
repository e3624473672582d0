"""Trained networks that come from other tools and go to them: NIR graphs, arrays, PyTorch state dictionaries.

A file becomes a chain of `Part`s (`chain.py`), the chain a network with parameters in real numbers (`assemble.py`).
Nothing here executes code from a file.
"""
