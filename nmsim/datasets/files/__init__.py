"""Readers of original files, one per format; an error names the file and the byte."""
