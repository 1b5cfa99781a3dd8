"""Training: labelled beats, a model and settings come in; the model of its best epoch goes out.

There is one loop (`fit`). What varies are the small callables of a `Parts`, which `assemble` makes
from settings.
"""
