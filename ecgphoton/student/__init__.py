"""The 150-parameter segment-aware student and its teacher."""
