"""The student: beats and an `Architecture` come in, class logits and ``h_pool`` go out.

Its one walk through the 4x4 blocks, `propagate.walk`, also serves chips, integers and bounds.
"""
