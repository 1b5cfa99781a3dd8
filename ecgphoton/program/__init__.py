"""The mesh program: a quantized student and its optics come in; one value and its file go out.

Everything that a chip and its electronics need is in it: phases, DAC codes, converters, tables.
"""
